/** `greenlight audit`: who did what and why; writes the log out, and checks a copy of it. */
import { readFile, writeFile } from "node:fs/promises";
import { Command } from "commander";
import { type AuditEntry, verifyChain } from "../../../core/rollout/audit-chain.ts";
import { compareCopy, readCopy } from "../../../core/rollout/audit-copy.ts";
import { integer } from "../../options.ts";
import { wholeLog } from "../audit-log.ts";
import { entryText } from "../change-text.ts";
import type { Cli, CommandFactory } from "../cli.ts";
import { EXIT } from "../exit.ts";
import { misused, stop } from "../failure.ts";
import { timeBefore } from "../words.ts";

/** Most entries of one page, as the API gives. */
const MAX_PAGE = 200;

interface ListFlags {
  limit: number;
  before?: number;
  flag?: string;
  who?: string;
  action?: string;
  since?: number;
  until?: number;
}

interface VerifyFlags {
  against: boolean;
  partial: boolean;
  made?: number;
}

async function list(cli: Cli, query: ListFlags): Promise<void> {
  cli.needsRouter("audit");
  const page = await (await cli.api()).ask<{ entries: AuditEntry[]; next?: number | null }>("/audit", {
    query: { ...query },
  });
  cli.out.show(page, () => {
    const lines = page.entries.map((entry) => entryText(cli.out.paint, entry));
    return lines.length === 0 ? "No entries." : lines.join("\n");
  });
  if (page.next) cli.out.note(`Older ones: --before ${page.next}`);
}

async function write(cli: Cli, out: string | undefined): Promise<void> {
  cli.needsRouter("audit export");
  const api = await cli.api();
  const entries = await cli.busy("reading the audit log", () => wholeLog(api));
  const text = entries.map((entry) => `${JSON.stringify(entry)}\n`).join("");
  if (out === undefined) process.stdout.write(text);
  else await writeFile(out, text);
  const chain = verifyChain(entries);
  if (!chain.ok) stop({ exit: EXIT.no, sentence: chain.sentence, where: api.profile.url });
  cli.out.note(`${cli.out.paintErr.green("✓")} ${entries.length} records`);
}

async function verify(cli: Cli, file: string, flags: VerifyFlags): Promise<void> {
  const differs = (sentence: string, where = file): never => stop({ exit: EXIT.no, sentence, where });
  const text = await readFile(file, "utf8").catch(() => misused(`${file} cannot be read.`));
  const copy = readCopy(text);
  if (!copy.ok) return differs(copy.sentence);
  const { entries } = copy;
  const [first] = entries;
  if (!first) return differs("There is no record in it.");
  // Of the rest of a chain the first record is taken at its word, unless the original has it.
  const own = flags.partial ? verifyChain(entries.slice(1), first) : verifyChain(entries);
  if (!own.ok) return differs(own.sentence);
  const ok = cli.out.paint.green("✓");
  const { id, hash } = own.last;
  const lines = [
    `${ok} ${file}: records ${first.id} to ${id} are one chain`,
    `  the last one's hash is ${hash}`,
  ];
  let original: number | null = null;
  if (flags.against) {
    const api = await cli.api();
    const theirs = await cli.busy("reading the original", () => wholeLog(api));
    const { url } = api.profile;
    const chain = verifyChain(theirs);
    if (!chain.ok) return differs(`The original itself does not hold. ${chain.sentence}`, url);
    const same = compareCopy(entries, theirs, { partial: flags.partial, madeAt: flags.made ?? Date.now() });
    if (!same.ok) return differs(same.sentence);
    original = theirs.length;
    lines.push(`${ok} ${file}: the same as ${url}, which has ${original} records`);
  } else lines.push("  whether records are missing at the end only the original can tell: --against");
  cli.out.show({ first: first.id, last: id, hash, original }, () => lines.join("\n"));
}

export const auditCommand: CommandFactory = (cli) => {
  const audit = new Command("audit")
    .description("Shows who changed what, when, how and why, the newest first.")
    .option("--limit <n>", "how many", integer(1, MAX_PAGE), 50)
    .option("--before <id>", "older than this entry", integer(1, Number.MAX_SAFE_INTEGER))
    .option("--flag <flag>", "of this flag")
    .option("--who <name>", "by this one")
    .option("--action <action>", "of this kind: halt, resume, adopt, rollback …")
    .option("--since <time>", "24h ago, or 2026-05-06T12:00:00Z", timeBefore(Date.now()))
    .option("--until <time>", "before then", timeBefore(Date.now()))
    .action((query: ListFlags) => list(cli, query));
  audit
    .command("export")
    .description("Writes all records as JSON lines, the oldest first.")
    .option("--out <file>", "write there; default: standard output")
    .action(({ out }: { out?: string }) => write(cli, out));
  audit
    .command("verify")
    .description("Checks a copy: JSON lines, a JSON array, or what the audit webhook was sent.")
    .argument("<file>")
    .option("--against", "hold it against the original too: the router that is meant", false)
    .option("--partial", "the copy begins later than the log", false)
    .option("--made <time>", "when the copy was made; default: now", timeBefore(Date.now()))
    .action((file: string, flags: VerifyFlags) => verify(cli, file, flags));
  return audit;
};
