/** `greenlight evaluate`: what a visitor gets of a flag, and every step that led to it; by the router, or by a file alone. */
import { inspect } from "node:util";
import { Command, InvalidArgumentError } from "commander";
import type { EvaluationView } from "../../../core/api/views.ts";
import { bucketFrom, type Evaluation, evaluateAll, evaluateFlag } from "../../../core/flag/answer.ts";
import { TENANT } from "../../../core/flag/members.ts";
import { BUCKETS } from "../../../core/hashing/bucket.ts";
import type { Cli, CommandFactory } from "../cli.ts";
import { nameOf as fileName } from "../document-file.ts";
import { EXIT } from "../exit.ts";
import { misused, stop } from "../failure.ts";
import { offlineTable } from "../offline.ts";
import { documentOf } from "../payload.ts";
import { percent } from "../table.ts";

interface EvaluateFlags {
  file?: string;
  bucket?: string;
  key?: string;
  user?: string;
  tenant?: string;
  attribute: Record<string, string[]>;
  environment?: string;
  all: boolean;
}

/** Who asks, as the command line says it. */
interface Asked {
  targetingKey: string;
  attributes: Record<string, string[]>;
  /** 0..99,999. */
  bucket: number | undefined;
}

export const evaluateCommand: CommandFactory = (cli) =>
  new Command("evaluate")
    .description(
      "Says what a visitor gets of a flag, and every step that led to it: by the router, or with --file by a document or payload alone.",
    )
    .argument("[flag]", "its name; not needed where the file has one flag only")
    .option("--file <file>", "a document, or a payload of any system that can be imported; - for stdin")
    .option("--bucket <fraction>", "in the place of the key's own, from 0 to below 1: 0.27", bucketText)
    .option("--key <key>", "targeting key of the visitor")
    .option("--user <id>", "the same")
    .option("--tenant <id>", "tenant of the visitor: --attribute tenant=ID")
    .option(
      "--attribute <name=value>",
      "something else that is known of the visitor (repeatable)",
      attribute,
      {},
    )
    .option("--environment <name>", "with --file: the environment that is meant")
    .option("--all", "every flag", false)
    .action(async (flag: string | undefined, given: EvaluateFlags) => {
      const found =
        given.file === undefined ? await online(cli, flag, given) : await offline(cli, flag, given);
      if (given.all)
        cli.out.show({ evaluations: found.map(view) }, () => found.map((one) => text(cli, one)).join("\n\n"));
      else cli.out.show(view(found[0]!), () => text(cli, found[0]!));
    });

function bucketText(text: string): string {
  try {
    bucketFrom(text);
    return text;
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}

function attribute(text: string, all: Record<string, string[]>): Record<string, string[]> {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("NAME=VALUE was expected");
  const name = text.slice(0, at);
  return { ...all, [name]: [...(all[name] ?? []), text.slice(at + 1)] };
}

function askedOf({ key, user, tenant, attribute: attributes, bucket }: EvaluateFlags): Asked {
  if (key !== undefined && user !== undefined) misused("--key and --user are the same: one of them.");
  return {
    targetingKey: key ?? user ?? "",
    attributes: tenant === undefined ? attributes : { ...attributes, [TENANT]: [tenant] },
    bucket: bucket === undefined ? undefined : bucketFrom(bucket),
  };
}

async function online(cli: Cli, flag: string | undefined, given: EvaluateFlags): Promise<Evaluation[]> {
  cli.needsRouter("evaluate without --file");
  if (given.environment !== undefined) misused("--environment goes with --file: a router knows its own.");
  if (flag === undefined && !given.all) misused("Which flag?", "greenlight evaluate FLAG, or --all.");
  const { bucket, ...asked } = askedOf(given);
  const body = { ...asked, ...(bucket !== undefined && { bucket: bucket / BUCKETS }) };
  const api = await cli.api();
  if (given.all)
    return (await api.ask<{ evaluations: EvaluationView[] }>("/evaluate", { method: "POST", body }))
      .evaluations;
  return [
    await api.ask<EvaluationView>(`/flags/${encodeURIComponent(flag!)}/evaluate`, { method: "POST", body }),
  ];
}

async function offline(cli: Cli, flag: string | undefined, given: EvaluateFlags): Promise<Evaluation[]> {
  const parsed = await documentOf(cli, given.file!);
  const now = Date.now();
  const table = offlineTable(parsed, given.environment, now);
  const asked = askedOf(given);
  if (given.all) return evaluateAll(table, asked, now);
  const names = [...table.flags.keys()];
  const name = flag ?? (names.length === 1 ? names[0] : undefined);
  if (name === undefined)
    return misused(
      `${fileName(given.file!)} has ${names.length} flags: which?`,
      `One of ${names.join(", ")}; or --all.`,
    );
  if (!table.flags.has(name))
    return stop({
      exit: EXIT.refused,
      sentence: `${fileName(given.file!)} has no flag ${name} in good form.`,
      hint: `There are: ${names.join(", ")}.`,
    });
  return [evaluateFlag(table, name, asked, now)];
}

/** The fraction that a bucket is: 27,000 is 0.27. */
function fraction(bucket: number | null): number | null {
  return bucket === null ? null : bucket / BUCKETS;
}

/** First what EcoTrips' helper answers, then all else. */
function view({ enabled, threshold, bucket, ...more }: Evaluation) {
  return { enabled, threshold, bucket: fraction(bucket), ...more };
}

function text(cli: Cli, found: Evaluation): string {
  const { paint } = cli.out;
  const { flag, enabled, threshold, bucket, variant, value, reason, cohort, release, steps } = found;
  const head = inspect({ enabled, threshold, bucket: fraction(bucket) }, { colors: paint.isColorSupported });
  const says = [
    `variant ${variant ?? "none"}`,
    ...(value === variant || typeof value === "boolean" ? [] : [`value ${JSON.stringify(value)}`]),
    `reason ${reason}`,
    ...(cohort === null ? [] : [`cohort ${cohort}`]),
    ...(release === null ? [] : [`release ${release}`]),
    `${percent(threshold)} of visitors`,
  ];
  return [
    head,
    `${paint.bold(flag)}: ${says.join(", ")}`,
    ...steps.map(
      ({ decided, sentence, step }) =>
        `  ${decided ? paint.green("→") : paint.dim("·")} ${paint.dim(step.padEnd(12))} ${sentence}`,
    ),
  ].join("\n");
}
