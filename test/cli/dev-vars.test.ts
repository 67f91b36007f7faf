/** Promises of the way into the local router: what the files say of it, and what becomes of what was in them. */
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { localAccess } from "../../src/cli/dev-vars.ts";
import { hashToken, isStrong } from "../../src/core/auth/tokens.ts";

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "greenlight-vars-"));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

describe("the way into the local router", () => {
  const files = async (name: string, text: string) => {
    const [vars, session] = [join(dir, `${name}.vars`), join(dir, name, "local.json")];
    await writeFile(vars, text, { mode: 0o644 });
    const read = async () => parseEnv(await readFile(vars, "utf8"));
    return { vars, session, read };
  };

  test("is made once, for the owner's eyes only, beside what was in the file", async () => {
    const { vars, session, read } = await files("once", "OTHER=1");
    const token = await localAccess(vars, session, "http://localhost:1");
    expect(isStrong(token)).toBe(true);
    expect(await localAccess(vars, session, "http://localhost:2")).toBe(token);
    for (const path of [vars, session]) expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(JSON.parse(await readFile(session, "utf8"))).toEqual({ url: "http://localhost:2", token });
    expect(await read()).toEqual({ OTHER: "1", ADMIN_TOKENS: `local:admin:${hashToken(token)}` });
  });

  test("takes over the token of former versions, and leaves it nowhere but in the file for people", async () => {
    const former = "a-token-of-former-versions";
    const { vars, session, read } = await files("former", `A=1\nADMIN_TOKEN=${former}\nB=2\n`);
    expect(await localAccess(vars, session, "http://localhost:1")).toBe(former);
    expect(await read()).toEqual({ A: "1", B: "2", ADMIN_TOKENS: `local:admin:${hashToken(former)}` });
  });

  test("keeps tokens that people put there, and replaces its own where the clear one is lost", async () => {
    const ann = `ann:viewer:${"a".repeat(64)}`;
    const { vars, session, read } = await files(
      "lost",
      `ADMIN_TOKENS="${ann}\n  local:admin:${"b".repeat(64)}"\nA=1\n`,
    );
    const token = await localAccess(vars, session, "http://localhost:1");
    expect(await read()).toEqual({ A: "1", ADMIN_TOKENS: `${ann} local:admin:${hashToken(token)}` });
  });
});
