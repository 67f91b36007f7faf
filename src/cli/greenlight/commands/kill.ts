/** `greenlight kill FLAG`: green out of traffic, by the controller and by the kill key, each telling what it came to. */
import { Command } from "commander";
import type { RolloutView, StatusView, WriteView } from "../../../core/api/views.ts";
import { SHARE_PER_PERCENT } from "../../../core/flag/percentage.ts";
import { EVERY_FLAG, isKilled, withKilled, withoutKilled } from "../../../core/rollout/kill.ts";
import type { Cli, CommandFactory } from "../cli.ts";
import type { Answer } from "../client.ts";
import { EXIT } from "../exit.ts";
import { type Failure, misused, Stopped, stop } from "../failure.ts";
import { percent } from "../table.ts";
import { nameOf } from "../words.ts";

/** What one of the two ways came to. */
interface Way {
  ok: boolean;
  sentence: string;
}

/** What both came to, and what is served since. */
interface Killed {
  flag: string;
  controller: Way;
  kvKey: Way;
  /** Null where the status could not be read. */
  served: { percent: number; isolates: number; keyRead: boolean } | null;
}

/** The way over the controller: a halt of every release of the flag; of all flags the global switch. */
async function byController(cli: Cli, flag: string, reason: string | undefined): Promise<Way> {
  if (cli.options.kv) return { ok: false, sentence: "not asked, for --kv was said" };
  try {
    const api = await cli.api();
    const said = cli.said(reason);
    const answer: Answer<RolloutView | WriteView> =
      flag === EVERY_FLAG
        ? await api.try("/enabled", { method: "PUT", body: { enabled: false, ...said } })
        : await api.try(`/flags/${encodeURIComponent(flag)}/kill`, { method: "POST", body: said });
    if (!answer.ok) return { ok: false, sentence: answer.failure.sentence };
    return { ok: true, sentence: `in force since revision ${answer.value.revision}` };
  } catch (error) {
    if (error instanceof Stopped) return { ok: false, sentence: error.failure.sentence };
    throw error;
  }
}

/** Changes the kill key, and reads it back: somebody else may have written in between. */
async function editKey(
  cli: Cli,
  change: (kill: string) => string,
  holds: (kill: string) => boolean,
): Promise<Way> {
  const { kvOf } = await import("../kv-place.ts");
  const kv = await kvOf(cli);
  const before = await kv.get("kill");
  if (!before.ok) return { ok: false, sentence: `${kv.where} cannot be read: ${before.sentence}` };
  const old = before.value ?? "";
  const next = change(old);
  if (next === old && before.value !== undefined)
    return { ok: true, sentence: `it was so before in ${kv.where}: ${JSON.stringify(old)}` };
  const put = await kv.put("kill", next);
  if (!put.ok) return { ok: false, sentence: `${kv.where} cannot be written: ${put.sentence}` };
  const after = await kv.get("kill");
  if (!after.ok || !holds(after.value ?? ""))
    return { ok: true, sentence: `written in ${kv.where}; read back it is not there yet` };
  return { ok: true, sentence: `written in ${kv.where} and read back: ${JSON.stringify(after.value)}` };
}

async function byKey(...args: Parameters<typeof editKey>): Promise<Way> {
  try {
    return await editKey(...args);
  } catch (error) {
    if (error instanceof Stopped) return { ok: false, sentence: error.failure.sentence };
    throw error;
  }
}

/** What the status says of green now; for all flags the highest. */
async function servedNow(cli: Cli, flag: string): Promise<Killed["served"]> {
  if (cli.options.kv) return null;
  const status = await (await cli.api()).try<StatusView>("/status");
  if (!status.ok) return null;
  const { flags, isolates, kill } = status.value;
  const meant = flags.filter(({ name }) => flag === EVERY_FLAG || name === flag);
  const share = Math.max(0, ...meant.map((one) => one.share));
  return { percent: share / SHARE_PER_PERCENT, isolates, keyRead: isKilled(kill, flag) };
}

/** Tells the quick way's outcome at once: wrangler takes seconds for the other. */
async function told(cli: Cli, name: string, way: Promise<Way>): Promise<Way> {
  const done = await way;
  if (!cli.out.json) cli.out.note(`${done.ok ? "✓" : "✗"} ${name}: ${done.sentence}; now the kill key …`);
  return done;
}

function meant(flag: string | undefined, all: boolean): string {
  if (all || flag === EVERY_FLAG) return EVERY_FLAG;
  if (flag === undefined) misused("Which flag?", "greenlight kill FLAG, or --all.");
  return nameOf(flag);
}

function wayText(cli: Cli, name: string, { ok, sentence }: Way): string {
  const { paint } = cli.out;
  return `  ${ok ? paint.green("✓") : paint.red("✗")} ${name.padEnd(11)} ${sentence}`;
}

export const killCommand: CommandFactory = (cli) =>
  new Command("kill")
    .description(
      "Takes green out of traffic over everything else: asks the controller and writes the kill key, and says which of the two holds.",
    )
    .argument("[flag]", "its name; not with --all")
    .argument("[reason]", "why")
    .option("--all", "every flag: the key names *, and the global switch goes off", false)
    .action(async (first: string | undefined, second: string | undefined, { all }: { all: boolean }) => {
      const flag = meant(first, all);
      const reason = all && first !== EVERY_FLAG ? first : second;
      await cli.confirm(flag === EVERY_FLAG ? "Kill every flag?" : `Kill ${flag}, every release of it?`);
      const [controller, kvKey] = await cli.busy("asking the controller, writing the kill key", () =>
        Promise.all([
          told(cli, "controller", byController(cli, flag, reason)),
          byKey(
            cli,
            (kill) => withKilled(kill, flag),
            (kill) => isKilled(kill, flag),
          ),
        ]),
      );
      const name = flag === EVERY_FLAG ? "every flag" : flag;
      if (!controller.ok && !kvKey.ok) {
        const failure: Failure = {
          exit: EXIT.unreachable,
          sentence: `${name} is NOT killed. Controller: ${controller.sentence} Kill key: ${kvKey.sentence}`,
          hint: "Write the key kill of the namespace in Cloudflare's dashboard: the flag's name, or *.",
        };
        return stop(failure);
      }
      const served = await servedNow(cli, flag);
      const killed: Killed = { flag, controller, kvKey, served };
      cli.out.show(killed, () => {
        const lines = [
          `${cli.out.paint.bold(`${name} is killed`)}${controller.ok && kvKey.ok ? "" : " by one way of two"}:`,
          wayText(cli, "controller", controller),
          wayText(cli, "kill key", kvKey),
        ];
        if (served) {
          const heard = `${served.isolates} isolates heard in the last minute`;
          const key = served.keyRead
            ? "the controller has read the key"
            : "the controller has not read the key yet";
          lines.push(`  served now: ${percent(served.percent)} on green; ${heard}; ${key}`);
        }
        if (!controller.ok) lines.push("  Isolates follow as they read KV: within a minute, as a rule.");
        else if (!kvKey.ok)
          lines.push("  Should the controller be lost, nothing would hold it: try the key again.");
        lines.push(
          flag === EVERY_FLAG
            ? "  Back: greenlight unkill --all and greenlight enable"
            : `  Back: greenlight unkill ${flag}`,
        );
        return lines.join("\n");
      });
    });

export const unkillCommand: CommandFactory = (cli) =>
  new Command("unkill")
    .description("Takes a flag out of the kill key, and lifts the controller's kill (resume).")
    .argument("[flag]", "its name; not with --all")
    .argument("[reason]", "why")
    .option("--all", "takes * out of the key; flags that it names stay", false)
    .action(async (first: string | undefined, second: string | undefined, { all }: { all: boolean }) => {
      const flag = meant(first, all);
      const reason = all && first !== EVERY_FLAG ? first : second;
      await cli.confirm(`Let green of ${flag === EVERY_FLAG ? "every flag" : flag} have traffic again?`);
      const kvKey = await cli.busy("writing the kill key", () =>
        byKey(
          cli,
          (kill) => withoutKilled(kill, flag),
          (kill) => !kill.split(/\s+/).includes(flag),
        ),
      );
      const controller = flag === EVERY_FLAG ? null : await lift(cli, flag, reason);
      const ok = kvKey.ok && controller?.ok !== false;
      cli.out.show({ flag, controller, kvKey }, () =>
        [
          wayText(cli, "kill key", kvKey),
          ...(controller ? [wayText(cli, "controller", controller)] : []),
        ].join("\n"),
      );
      if (!ok) cli.ends(EXIT.refused);
    });

/** Lifts what the controller keeps. That there was nothing to lift is no failure. */
async function lift(cli: Cli, flag: string, reason: string | undefined): Promise<Way> {
  if (cli.options.kv)
    return { ok: true, sentence: "not asked, for --kv was said: a kill that it keeps stays" };
  const api = await cli.api();
  const path = `/flags/${encodeURIComponent(flag)}/resume`;
  const answer = await api.try<RolloutView>(path, { method: "POST", body: cli.said(reason) });
  if (answer.ok) return { ok: true, sentence: `lifted with revision ${answer.value.revision}` };
  const { type, sentence } = answer.failure;
  return { ok: type === "urn:greenlight:problem:not-halted", sentence };
}
