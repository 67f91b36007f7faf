/** `npm run audit`: writes the audit log out, and checks a copy of it by itself and against the original. */
import { readFile, writeFile } from "node:fs/promises";
import { Command, CommanderError, InvalidArgumentError } from "commander";
import pc from "picocolors";
import { type AuditEntry, type ChainCheck, verifyChain } from "../core/rollout/audit-chain.ts";
import { compareCopy, readCopy } from "../core/rollout/audit-copy.ts";

/** Records of one page, as many as the API gives. */
const PAGE = 200;
/** Milliseconds that one page may take. */
const PAGE_MS = 30_000;
/** The copy does not hold. */
const DIFFERS = 1;
/** It could not be checked. */
const UNCHECKED = 2;

interface Source {
  tokenFile?: string;
}
interface VerifyFlags extends Source {
  against?: string;
  partial: boolean;
  made?: number;
}

/** All records of the original, the oldest first. */
async function original(url: string, { tokenFile }: Source): Promise<AuditEntry[]> {
  const token = tokenFile === undefined ? process.env.GREENLIGHT_TOKEN : await readFile(tokenFile, "utf8");
  if (!token) throw new Error("a token is needed: --token-file, or GREENLIGHT_TOKEN in the environment");
  const entries: AuditEntry[] = [];
  for (;;) {
    const page = new URL("/_greenlight/api/audit", url);
    page.searchParams.set("limit", String(PAGE));
    const oldest = entries.at(-1)?.id;
    if (oldest !== undefined) page.searchParams.set("before", String(oldest));
    const answer = await fetch(page, {
      headers: { authorization: `Bearer ${token.trim()}` },
      // The token is for this host alone.
      redirect: "error",
      signal: AbortSignal.timeout(PAGE_MS),
    }).catch((error: unknown) => {
      const { cause } = error as { cause?: unknown };
      throw new Error(`${page.href} cannot be reached: ${String((cause as Error)?.message ?? error)}`);
    });
    if (!answer.ok) throw new Error(`${page.href} answered ${answer.status}: ${await answer.text()}`);
    const got = ((await answer.json()) as { entries: AuditEntry[] }).entries;
    if (oldest !== undefined && got.some(({ id }) => id >= oldest)) {
      throw new Error(`${page.href} gave records that are not older than ${oldest}`);
    }
    entries.push(...got);
    if (got.length < PAGE) return entries.reverse();
  }
}

async function verify(file: string, flags: VerifyFlags): Promise<number> {
  const copy = readCopy(await readFile(file, "utf8"));
  if (!copy.ok) return failed(file, copy.sentence);
  const { entries } = copy;
  const [first] = entries;
  if (!first) return failed(file, "There is no record in it.");
  // Of the rest of a chain the first record is taken at its word, unless the original has it.
  const own = flags.partial ? verifyChain(entries.slice(1), first) : verifyChain(entries);
  if (!own.ok) return failed(file, own.sentence);
  console.log(`${pc.green("ok")} ${file}: records ${first.id} to ${own.last.id} are one chain`);
  console.log(`   the last one's hash is ${own.last.hash}`);
  if (flags.against === undefined) {
    console.log("   whether records are missing at the end only the original can tell: --against URL");
    return 0;
  }
  const theirs = await original(flags.against, flags);
  const chain = verifyChain(theirs);
  if (!chain.ok) return failed(flags.against, `The original itself does not hold. ${chain.sentence}`);
  const same: ChainCheck = compareCopy(entries, theirs, {
    partial: flags.partial,
    madeAt: flags.made ?? Date.now(),
  });
  if (!same.ok) return failed(file, same.sentence);
  console.log(`${pc.green("ok")} ${file}: the same as ${flags.against}, which has ${theirs.length} records`);
  return 0;
}

async function write(flags: Source & { url: string; out?: string }): Promise<number> {
  const entries = await original(flags.url, flags);
  const text = entries.map((entry) => `${JSON.stringify(entry)}\n`).join("");
  if (flags.out === undefined) process.stdout.write(text);
  else await writeFile(flags.out, text);
  const chain = verifyChain(entries);
  if (!chain.ok) return failed(flags.url, chain.sentence);
  console.error(`${pc.green("ok")} ${entries.length} records`);
  return 0;
}

function failed(what: string, sentence: string): number {
  console.error(`${pc.red("wrong")} ${what}: ${sentence}`);
  return DIFFERS;
}

function time(text: string): number {
  const at = Date.parse(text);
  if (Number.isNaN(at)) throw new InvalidArgumentError("a time such as 2026-05-06T12:00:00Z was expected");
  return at;
}

function command(): Command {
  const audit = new Command("audit")
    .description("Writes the audit log out, and checks copies of it.")
    .exitOverride();
  const token = ["--token-file <file>", "file with the API's token; default: GREENLIGHT_TOKEN"] as const;
  audit
    .command("verify <file>")
    .description("Checks a copy: JSON lines, a JSON array, or what the audit webhook was sent.")
    .option("--against <url>", "check it against the original too: address of the admin API's host")
    .option(...token)
    .option("--partial", "the copy begins later than the log", false)
    .option("--made <time>", "when the copy was made; default: now", time)
    .action(async (file: string, flags: VerifyFlags) => {
      process.exitCode = await verify(file, flags);
    });
  audit
    .command("export")
    .description("Writes all records as JSON lines, the oldest first.")
    .requiredOption("--url <url>", "address of the admin API's host")
    .option(...token)
    .option("--out <file>", "write there; default: standard output")
    .action(async (flags: Source & { url: string; out?: string }) => {
      process.exitCode = await write(flags);
    });
  return audit;
}

try {
  await command().parseAsync();
} catch (error) {
  // commander has said what is wrong with the command itself; help is no failure.
  const said = error instanceof CommanderError;
  if (!said)
    console.error(`${pc.red("not checked")} ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = said && error.exitCode === 0 ? 0 : UNCHECKED;
}
