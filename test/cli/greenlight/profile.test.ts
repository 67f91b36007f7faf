/** Promises of which router is meant, and that no token goes where it is not for. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Stopped } from "../../../src/cli/greenlight/failure.ts";
import { chooseProfile, origin } from "../../../src/cli/greenlight/profile.ts";

let home: string;
let project: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "greenlight-home-"));
  project = join(home, "project");
  await mkdir(join(project, "inside"), { recursive: true });
  await mkdir(join(project, ".greenlight"));
  await mkdir(join(home, "greenlight"));
  const mode = 0o600;
  const kept = {
    default: "production",
    profiles: {
      production: { url: "https://production.example", token: "p" },
      staging: { url: "https://staging.example", token: "s" },
    },
  };
  await writeFile(join(home, "greenlight", "profiles.json"), JSON.stringify(kept), { mode });
  const local = { url: "http://127.0.0.1:8787", token: "l" };
  await writeFile(join(project, ".greenlight", "local.json"), JSON.stringify(local), { mode });
  await writeFile(join(home, "token"), "f\n", { mode });
});
afterAll(() => rm(home, { recursive: true, force: true }));

type Case = [
  why: string,
  choice: Parameters<typeof chooseProfile>[0],
  env: Record<string, string>,
  url: string,
  token: string | undefined,
];
const CASES: Case[] = [
  [
    "--url",
    { url: "said.example", profile: "staging" },
    { GREENLIGHT_TOKEN: "e" },
    "https://said.example",
    "e",
  ],
  [
    "--profile",
    { profile: "staging" },
    { GREENLIGHT_URL: "https://env.example" },
    "https://staging.example",
    "s",
  ],
  [
    "GREENLIGHT_URL",
    {},
    { GREENLIGHT_URL: "https://env.example/x", GREENLIGHT_TOKEN: "e" },
    "https://env.example",
    "e",
  ],
  ["GREENLIGHT_PROFILE", {}, { GREENLIGHT_PROFILE: "staging" }, "https://staging.example", "s"],
  ["the session of npm start", {}, {}, "http://127.0.0.1:8787", "l"],
  ["a token of the environment alone", {}, { GREENLIGHT_TOKEN: "e" }, "http://127.0.0.1:8787", "l"],
];
test.each(CASES)(
  "%s says which router is meant, from a folder of the project",
  async (_, choice, env, url, token) => {
    const chosen = await chooseProfile(choice, { XDG_CONFIG_HOME: home, ...env }, join(project, "inside"));
    expect({ url: chosen.url, token: chosen.token }).toEqual({ url, token });
  },
);

test("outside of a project the default profile is meant, and a token file goes over its token", async () => {
  const env = { XDG_CONFIG_HOME: home };
  expect((await chooseProfile({}, env, home)).url).toBe("https://production.example");
  expect((await chooseProfile({ tokenFile: join(home, "token") }, env, home)).token).toBe("f");
});

test("where nothing says it, it says what to do", async () => {
  const failed = await chooseProfile({}, { XDG_CONFIG_HOME: join(home, "none") }, home).catch(
    (e: unknown) => e,
  );
  expect(failed instanceof Stopped && failed.failure).toMatchObject({
    exit: 2,
    hint: expect.stringContaining("login"),
  });
});

test.each(["ftp://router.example", "https://user:pass@router.example", "not a host", ""])(
  "%j is no address",
  (text) => expect(() => origin(text)).toThrow(Stopped),
);
