/** The file `.dev.vars`, where wrangler looks for local secrets: here the token of the admin API. */
import { randomBytes } from "node:crypto";
import { chmod, readFile, writeFile } from "node:fs/promises";
import { parseEnv } from "node:util";

/** Bytes of a token made here. */
const TOKEN_BYTES = 24;
/** Only the owner may read it. */
const PRIVATE = 0o600;

/** The token in the file; made and added when there is none. Other lines of the file stay as they are. */
export async function localToken(path: string): Promise<string> {
  const text = await readFile(path, "utf8").catch(() => "");
  const given = parseEnv(text).ADMIN_TOKEN;
  if (given) return given;
  const token = randomBytes(TOKEN_BYTES).toString("hex");
  const before = text === "" || text.endsWith("\n") ? text : `${text}\n`;
  await writeFile(path, `${before}ADMIN_TOKEN=${token}\n`, { mode: PRIVATE });
  // The mode above counts for a new file only.
  await chmod(path, PRIVATE);
  return token;
}
