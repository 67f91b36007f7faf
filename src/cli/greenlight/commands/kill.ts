/** `greenlight kill FLAG`: green out of traffic, by the controller and by the kill key, each telling what it came to. */
import { Command } from "commander";
import type { RolloutView, StatusView, WriteView } from "../../../core/api/views.ts";
import { SHARE_PER_PERCENT } from "../../../core/flag/percentage.ts";
import { EVERY_FLAG, isKilled, withKilled, withoutKilled } from "../../../core/rollout/kill.ts";
import type { Cli, CommandFactory } from "../cli.ts";
import type { Answer } from "../client.ts";
import { EXIT } from "../exit.ts";
import { type Failure, misused, Stopped, stop } from "../failure.ts";
import { editKey, type KeyChange, type Way } from "../kill-key.ts";
import { percent } from "../table.ts";
import { nameOf } from "../words.ts";

/** Status of an answer that nothing was done, for it is so or cannot be. */
const CONFLICT = 409;

/** Milliseconds for the controller's answer: a router that hangs is as good as none, and the key is written besides. */
const PATIENCE_MS = 8000;

/** What both came to, and what is served since. */
interface Killed {
  flag: string;
  controller: Way;
  kvKey: Way;
  /** Null where the status could not be read. */
  served: { percent: number; isolates: number; keyRead: boolean } | null;
}

/** A misspelt name would be killed in the key, and not the flag that was meant. */
type ByController = Way & { isUnknown?: boolean; isSilent?: boolean };

/** The way over the controller: a halt of every release of the flag; of all flags the global switch. */
async function byController(cli: Cli, flag: string, reason: string | undefined): Promise<ByController> {
  if (cli.options.kv) return { ok: false, sentence: "not asked, for --kv was said" };
  try {
    const api = await cli.api();
    const said = cli.said(reason);
    const timeoutMs = PATIENCE_MS;
    const answer: Answer<RolloutView | WriteView> =
      flag === EVERY_FLAG
        ? await api.try("/enabled", { method: "PUT", body: { enabled: false, ...said }, timeoutMs })
        : await api.try(`/flags/${encodeURIComponent(flag)}/kill`, { method: "POST", body: said, timeoutMs });
    if (!answer.ok) {
      const { sentence, type, status } = answer.failure;
      if (status === CONFLICT && (await isKilledAlready(cli, flag)))
        return { ok: true, sentence: `it was so before: ${sentence}` };
      return {
        ok: false,
        sentence,
        isUnknown: type === "urn:greenlight:problem:unknown-flag",
        isSilent: status === undefined,
      };
    }
    return { ok: true, sentence: `in force since revision ${answer.value.revision}` };
  } catch (error) {
    if (error instanceof Stopped) return { ok: false, sentence: error.failure.sentence, isSilent: true };
    throw error;
  }
}

/** Does the controller hold every release of the flag off green already? Then another kill is refused, and all is well. */
async function isKilledAlready(cli: Cli, flag: string): Promise<boolean> {
  const status = await (await cli.api()).try<StatusView>("/status");
  return status.ok && status.value.halts.some((halt) => halt.flag === flag && halt.action === "kill");
}

/** The way over the kill key. */
async function byKey(cli: Cli, change: KeyChange): Promise<Way> {
  try {
    const { kvOf } = await import("../kv-place.ts");
    return await editKey(await kvOf(cli), change);
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

/** Tells the outcome of whichever way is over first: the other may take seconds. */
function telling(cli: Cli): <T extends Way>(name: string, other: string, way: Promise<T>) => Promise<T> {
  let isFirst = !cli.out.json;
  return async (name, other, way) => {
    const done = await way;
    if (isFirst)
      cli.out.note(`${done.ok ? "✓" : "✗"} ${name}: ${withoutStop(done.sentence)}; now ${other} …`);
    isFirst = false;
    return done;
  };
}

/** Sentences of others have a full stop or none. */
const withoutStop = (sentence: string) => sentence.replace(/\.$/, "");

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
      // Not to know which router is meant is no failure of a way.
      await cli.profile();
      await cli.confirm(flag === EVERY_FLAG ? "Kill every flag?" : `Kill ${flag}, every release of it?`);
      const tell = telling(cli);
      const asked = byController(cli, flag, reason);
      const key = byKey(cli, {
        change: (kill) => withKilled(kill, flag),
        holds: (kill) => isKilled(kill, flag),
        objection: asked.then(({ isUnknown }) =>
          isUnknown ? `the router knows no flag ${flag}` : undefined,
        ),
      });
      const [controller, kvKey] = await cli.busy("asking the controller, writing the kill key", () =>
        Promise.all([tell("controller", "the kill key", asked), tell("kill key", "the controller", key)]),
      );
      const name = flag === EVERY_FLAG ? "every flag" : flag;
      if (!controller.ok && !kvKey.ok) {
        const failure: Failure = {
          exit: controller.isUnknown ? EXIT.refused : EXIT.unreachable,
          sentence: `${name} is NOT killed. Controller: ${withoutStop(controller.sentence)}. Kill key: ${withoutStop(kvKey.sentence)}.`,
          hint: controller.isUnknown
            ? `greenlight list has the names. To write the key all the same: greenlight kill ${flag} --kv`
            : "Write the key kill of the namespace in Cloudflare's dashboard: the flag's name, or *.",
        };
        return stop(failure);
      }
      const served = controller.isSilent ? null : await servedNow(cli, flag);
      const killed: Killed = { flag, controller, kvKey, served };
      cli.out.show(killed, () => {
        const lines = [
          `${cli.out.paint.bold(`${name} is killed`)}${controller.ok && kvKey.ok ? "" : " by one way of two"}:`,
          wayText(cli, "controller", controller),
          wayText(cli, "kill key", kvKey),
        ];
        if (served) {
          const heard = `${served.isolates} ${served.isolates === 1 ? "isolate" : "isolates"} heard in the last minute`;
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
    .description(
      "Takes a flag out of the kill key, and lifts the controller's kill (resume). Where another halt or pause stands beside it, the controller's kill stays: resume lifts all.",
    )
    .argument("[flag]", "its name; not with --all")
    .argument("[reason]", "why")
    .option("--all", "takes * out of the key; flags that it names stay", false)
    .action(async (first: string | undefined, second: string | undefined, { all }: { all: boolean }) => {
      const flag = meant(first, all);
      const reason = all && first !== EVERY_FLAG ? first : second;
      await cli.confirm(`Let green of ${flag === EVERY_FLAG ? "every flag" : flag} have traffic again?`);
      const kvKey = await cli.busy("writing the kill key", () =>
        byKey(cli, {
          change: (kill) => withoutKilled(kill, flag),
          holds: (kill) => !kill.split(/\s+/).includes(flag),
        }),
      );
      const controller = flag === EVERY_FLAG ? null : await lift(cli, flag, reason);
      const ok = kvKey.ok && controller?.ok !== false;
      const served = ok ? await servedNow(cli, flag) : null;
      cli.out.show({ flag, controller, kvKey, served }, () =>
        [
          wayText(cli, "kill key", kvKey),
          ...(controller ? [wayText(cli, "controller", controller)] : []),
          ...(served ? [`  served now: ${percent(served.percent)} on green`] : []),
        ].join("\n"),
      );
      if (!ok) cli.ends(EXIT.refused);
    });

/** Lifts what the controller keeps. That there was nothing to lift is no failure. */
async function lift(cli: Cli, flag: string, reason: string | undefined): Promise<Way> {
  if (cli.options.kv)
    return { ok: true, sentence: "not asked, for --kv was said: a kill that it keeps stays" };
  const api = await cli.api();
  const path = `/flags/${encodeURIComponent(flag)}`;
  const rollout = await api.try<RolloutView>(`${path}/rollout`);
  // Resume would lift these as well: a green that was halted for its failures would have its visitors back unasked.
  const beside = rollout.ok ? rollout.value.halts.find(({ action }) => action !== "kill") : undefined;
  if (beside) {
    const sentence = `its kill stays, for more stands against green: ${withoutStop(beside.reason)}. Once that is mended: greenlight resume ${flag}`;
    return { ok: false, sentence };
  }
  const answer = await api.try<RolloutView>(`${path}/resume`, { method: "POST", body: cli.said(reason) });
  if (answer.ok) return { ok: true, sentence: `lifted with revision ${answer.value.revision}` };
  const { type, sentence } = answer.failure;
  return { ok: type === "urn:greenlight:problem:not-halted", sentence };
}
