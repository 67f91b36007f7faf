import { beforeAll, describe, expect, it } from "vitest";
import { AccessKeys } from "../../src/admin/access-keys.ts";
import { type SigningKey, signingKey, Team } from "./access-parts.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

let first: SigningKey;
let second: SigningKey;
beforeAll(async () => {
  [first, second] = await Promise.all([signingKey("first"), signingKey("second", "ES256")]);
});

/** Keys of a team, at a time that the test sets. */
function watched(team: Team) {
  const keys = new AccessKeys(team.url);
  let now = 1_900_000_000_000;
  return {
    find: (kid: string) => keys.find(kid, () => now),
    later: (ms: number) => {
      now += ms;
    },
  };
}

describe("the keys of Access", () => {
  it("are fetched once an hour, however many ask", async () => {
    const team = new Team();
    await team.keys(first, second);
    const { find, later } = watched(team);
    expect((await find("first")).ok).toBe(true);
    for (let i = 0; i < 20; i++) expect((await find(i % 2 ? "first" : "second")).ok).toBe(true);
    expect(await team.asked()).toBe(1);
    later(HOUR_MS);
    expect((await find("first")).ok).toBe(true);
    expect(await team.asked()).toBe(2);
  });

  it("are found by requests that come together, with one fetch between them", async () => {
    const team = new Team();
    await team.keys(first);
    const keys = new AccessKeys(team.url);
    const found = await Promise.all(Array.from({ length: 10 }, () => keys.find("first")));
    expect(found.every(({ ok }) => ok)).toBe(true);
    expect(await team.asked()).toBe(1);
  });

  it("are fetched anew for an id that is not known, at most once a minute whoever makes ids up", async () => {
    const team = new Team();
    await team.keys(first);
    const { find, later } = watched(team);
    await find("first");
    for (let i = 0; i < 20; i++) expect(await find(`made up ${i}`)).toEqual({ ok: false, reason: "unknown" });
    expect(await team.asked()).toBe(1);
    later(MINUTE_MS);
    await team.keys(second);
    expect((await find("second")).ok).toBe(true);
    expect(await find("first")).toEqual({ ok: false, reason: "unknown" });
    expect(await team.asked()).toBe(2);
  });

  it.each([
    { status: 500 },
    { status: 200, body: "no JSON" },
    { status: 200, body: '{"keys":[]}' },
    "reset",
  ] as const)(
    "are kept while Access answers %j, and not to be had where none were known",
    async (behaviour) => {
      const team = new Team();
      await team.keys(first);
      const known = watched(team);
      await known.find("first");
      await team.serve(behaviour);
      known.later(HOUR_MS);
      expect((await known.find("first")).ok).toBe(true);

      const cold = watched(team);
      expect(await cold.find("first")).toEqual({ ok: false, reason: "unreachable" });
      await team.keys(first);
      cold.later(5_000);
      expect((await cold.find("first")).ok).toBe(true);
    },
  );

  it("are only those that can check the signatures of Access", async () => {
    const team = new Team();
    const secret = { kty: "oct", k: "c2VjcmV0", kid: "secret", alg: "HS256" };
    const forEncryption = { ...first.jwk, kid: "enc", use: "enc" };
    const jwks = [null, {}, secret, forEncryption, { ...first.jwk, n: "" }, second.jwk];
    await team.serve({ status: 200, body: JSON.stringify({ keys: jwks }) });
    const { find } = watched(team);
    expect((await find("second")).ok).toBe(true);
    for (const kid of ["secret", "enc"]) expect((await find(kid)).ok).toBe(false);
  });
});
