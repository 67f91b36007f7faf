/** Promises of `greenlight token`: what it prints where, and that the router lets in what it made. */
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ROOT } from "../../../src/cli/bundle.ts";
import { hashToken, parseTokens } from "../../../src/core/auth/tokens.ts";

const DAY_MS = 86_400_000;

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "greenlight-token-"));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

async function token(args: string[], stdin = "") {
  const child = spawn(process.execPath, [join(ROOT, "bin/greenlight.js"), "token", ...args], { cwd: dir });
  child.stdin.end(stdin);
  const ended = new Promise<number | null>((done) => child.once("close", done));
  const [out, err, exit] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { out, err, exit };
}

describe("token create", () => {
  test("prints the token alone on stdout, so that a script can take it, and what to do with it beside", async () => {
    const { out, err, exit } = await token([
      "create",
      "--name",
      "ci",
      "--role",
      "operator",
      "--expires",
      "90d",
    ]);
    expect(exit).toBe(0);
    expect(out).toMatch(/^greenlight_[0-9a-f]{48}\n$/);
    expect(err).not.toContain(out.trim());
    expect(err).toContain("npx wrangler secret put ADMIN_TOKENS\n");
    const [made] = parseTokens(/ci:operator:\S+/.exec(err)![0]).tokens;
    expect(made).toMatchObject({ name: "ci", role: "operator", sha256: hashToken(out.trim()) });
    expect(Math.abs(made!.expires! - Date.now() - 90 * DAY_MS)).toBeLessThan(60_000);
  });

  test("keeps the lines of all tokens in a file, for its owner alone, without any token in it", async () => {
    const file = join(dir, "admin tokens.txt");
    const made = ["ann", "bob"].map((name) => [
      "create",
      "--name",
      name,
      "--role",
      "admin",
      "--into",
      file,
      "--json",
    ]);
    const tokens: string[] = [];
    for (const args of made) {
      const answer = JSON.parse((await token(args)).out) as { token: string; line: string; command: string };
      expect(answer.command).toBe(`npx wrangler secret put ADMIN_TOKENS < '${file}'`);
      tokens.push(answer.token);
    }
    const lines = parseTokens(await readFile(file, "utf8"));
    expect(lines.faults).toEqual([]);
    expect(lines.tokens.map(({ name, sha256 }) => [name, sha256])).toEqual([
      ["ann", hashToken(tokens[0]!)],
      ["bob", hashToken(tokens[1]!)],
    ]);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  test("makes nothing where it is not clear what, and says so", async () => {
    const wrong: [string[], RegExp][] = [
      [["--name", "a b", "--role", "admin"], /a name/],
      [["--name", "ann", "--role", "boss"], /reporter.*viewer.*operator.*admin/],
      [["--name", "ann", "--role", "admin", "--expires", "90"], /90d/],
      [["--name", "ann", "--role", "admin", "--expires", "2020-01-31"], /a day to come/],
    ];
    const answers = wrong.map(async ([args, sentence]) => {
      const { out, err, exit } = await token(["create", ...args]);
      expect([exit, out]).toEqual([2, ""]);
      expect(err).toMatch(sentence);
    });
    await Promise.all(answers);
  });
});

describe("token hash", () => {
  test("reads the token from stdin, where no one else sees it, and prints its line", async () => {
    const { out, exit } = await token(["hash", "--name", "ann", "--role", "viewer"], "a-token-of-my-own\n");
    expect(exit).toBe(0);
    expect(out).toBe(`ann:viewer:${hashToken("a-token-of-my-own")}\n`);
  });

  test.each(["short", "many words and yet no token"])(
    "refuses %j: no router would let it in",
    async (given) => {
      const { out, exit } = await token(["hash", "--name", "ann", "--role", "viewer"], given);
      expect([exit, out]).toEqual([2, ""]);
    },
  );
});
