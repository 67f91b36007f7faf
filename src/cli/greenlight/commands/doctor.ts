/** `greenlight doctor`: looks for every misconfiguration that a user can make, and says the mend. */
import { Command } from "commander";
import type { Cli, CommandFactory } from "../cli.ts";
import { CHECKS, diagnose, type Found } from "../doctor/checks.ts";
import type { Facts, Level } from "../doctor/facts.ts";
import { gather } from "../doctor/gather.ts";
import { EXIT } from "../exit.ts";

interface DoctorFlags {
  list?: boolean;
}

export const doctorCommand: CommandFactory = (cli) =>
  new Command("doctor")
    .description("Looks for every misconfiguration that a user can make, and says the mend. Changes nothing.")
    .option("--list", "show what it looks for, and look for nothing")
    .action(async ({ list }: DoctorFlags) => {
      if (list) {
        const checks = CHECKS.map(({ name, about }) => ({ name, about }));
        cli.out.show(checks, () => checks.map(({ name, about }) => `${name.padEnd(20)} ${about}`).join("\n"));
        return;
      }
      const facts = await cli.busy("looking at router, KV and project", () => gather(cli));
      const found = diagnose(facts);
      const errors = found.filter(({ level }) => level === "error").length;
      cli.out.show({ ok: errors === 0, checks: CHECKS.length, unseen: unseen(facts), found }, () =>
        text(cli, facts, found),
      );
      if (errors > 0) cli.ends(EXIT.no);
    });

const MARKS: Record<Level, string> = { error: "✗", warning: "!", info: "·" };

function text(cli: Cli, facts: Facts, found: readonly Found[]): string {
  const { paint } = cli.out;
  const colours: Record<Level, (text: string) => string> = {
    error: paint.red,
    warning: paint.yellow,
    info: paint.dim,
  };
  const lines = found.flatMap(({ level, what, where, mend }) => [
    `${colours[level](MARKS[level])} ${paint.bold(where)}: ${what}`,
    `  ${paint.dim("→")} ${mend}`,
  ]);
  const counted = (level: Level) => found.filter((one) => one.level === level).length;
  const many = (level: Level, word: string) => `${counted(level)} ${word}${counted(level) === 1 ? "" : "s"}`;
  const missing = unseen(facts);
  if (missing.length > 0)
    lines.push(paint.dim(`Not looked at, for it could not be had: ${missing.join("; ")}.`));
  const sum = `${CHECKS.length} checks: ${many("error", "error")}, ${many("warning", "warning")}, ${many("info", "remark")}.`;
  return [...lines, counted("error") > 0 ? paint.red(sum) : paint.green(sum)].join("\n");
}

/** What could not be looked at, so that silence is not taken for health. */
function unseen(facts: Facts): string[] {
  const sources: [what: string, asked: { ok: boolean; sentence?: string } | undefined][] = [
    ["status", facts.status],
    ["KV", facts.kv],
    ["flags", facts.specs],
  ];
  const failed = sources.flatMap(([what, asked]) => {
    if (asked?.ok) return [];
    return [asked?.sentence === undefined ? what : `${what} (${asked.sentence.replace(/\.$/, "")})`];
  });
  return [...failed, ...(facts.document ? [] : ["document"]), ...(facts.secrets ? [] : ["secrets"])];
}
