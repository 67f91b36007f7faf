/** `greenlight apply`: shows what a document changes, asks, writes it, and waits until visitors get it. */
import { Command } from "commander";
import { parseDocument } from "../../../core/flag/parse.ts";
import { type InForce, inForce, sourceText, wantedText } from "../applying.ts";
import type { Cli, CommandFactory } from "../cli.ts";
import { type Compared, compared, differenceText } from "../difference-text.ts";
import { EXIT } from "../exit.ts";
import { Stopped, stop } from "../failure.ts";
import { untilServed } from "../serving.ts";
import type { Written } from "../store.ts";
import { wantedOf, wanting } from "../wanting.ts";

/** Status of an answer to a write whose If-Match no longer holds. */
const CONFLICT = 412;
/** So often it is compared anew while others write. */
const MOST_CONFLICTS = 5;

type ApplyFlags = Parameters<typeof wantedOf>[1] & { dryRun?: boolean };

export const applyCommand: CommandFactory = (cli) =>
  wanting(new Command("apply"))
    .description(
      "Shows what a document changes of the one in force, asks, writes it, and waits until isolates serve it. All of it, or nothing.",
    )
    .argument("[reason]", "why")
    .option("--dry-run", "show it only")
    .action(async (file: string | undefined, last: string | undefined, given: ApplyFlags) => {
      // With --from there is no file: the first word is the reason.
      const reason = given.from === undefined ? last : (last ?? file);
      const wanted = wantedOf(given.from === undefined ? file : undefined, given);
      const source = await sourceText(cli, wanted);
      const before = await inForce(cli);
      await applyText(cli, {
        before,
        wanted: (target) => wantedText(source.text, target, wanted),
        reason,
        dryRun: given.dryRun === true,
      });
    });

/** What is to be done. */
export interface Applying {
  before: InForce;
  /** The new text, from the one in force. */
  wanted(target: string): string;
  reason: string | undefined;
  dryRun: boolean;
}

/** Compares, asks and writes; where somebody else has written meanwhile it begins anew. */
export async function applyText(cli: Cli, { before, wanted, reason, dryRun }: Applying): Promise<void> {
  let target = before;
  let agreed: string | undefined;
  for (let conflicts = 0; ; conflicts++) {
    const text = wanted(target.text);
    const difference = compared(parseDocument(target.text), parseDocument(text));
    const shown = differenceText(cli.out.paintErr, difference);
    // Text that counts for nothing, such as spaces, is written too: it is what is asked for.
    if (text === target.text)
      return cli.out.show({ changed: false, dryRun, difference }, () => "Nothing differs.");
    if (agreed === undefined || agreed !== shown) {
      if (!cli.out.json || !cli.options.yes)
        cli.out.note(
          shown === "" ? "Nothing that counts differs: spaces, order, or what no flag uses." : shown,
        );
      if (dryRun)
        return cli.out.show({ changed: false, dryRun, difference }, () => "Nothing was changed: --dry-run.");
      if (agreed !== undefined && cli.options.yes)
        return stop({
          exit: EXIT.refused,
          sentence:
            "Somebody else has written meanwhile, and the difference is another one now. Nothing was changed.",
          hint: "Look at it, and apply again.",
        });
      await cli.confirm(`Apply this to ${(await cli.profile()).url}?`);
      agreed = shown;
    }
    const written = await write(cli, text, target.etag, reason);
    if (written !== undefined) return await tell(cli, written, difference);
    if (conflicts >= MOST_CONFLICTS)
      return stop({
        exit: EXIT.refused,
        sentence: `Others have written ${conflicts + 1} times meanwhile. Nothing was changed.`,
      });
    cli.out.warn("Somebody else has written meanwhile: compared anew.");
    target = await inForce(cli);
  }
}

/** Undefined where the document is no longer the one that was compared. */
async function write(
  cli: Cli,
  text: string,
  etag: string | undefined,
  reason: string | undefined,
): Promise<Written | undefined> {
  try {
    return await (await cli.store()).putDocument(text, etag, cli.said(reason));
  } catch (error) {
    if (error instanceof Stopped && error.failure.status === CONFLICT) return undefined;
    throw error;
  }
}

async function tell(cli: Cli, written: Written, difference: Compared): Promise<void> {
  const { paint } = cli.out;
  if (cli.options.kv)
    return cli.out.show(
      { ...written, difference, served: null },
      () => `${paint.green("✓")} Applied. ${written.sentence ?? ""}`,
    );
  const api = await cli.api();
  const served = await cli.busy("waiting until isolates serve it", () => untilServed(api, written.revision));
  cli.out.show({ ...written, difference, served }, () =>
    [
      `${paint.green("✓")} Applied. ${paint.dim(`revision ${written.revision}`)}`,
      ...(written.sentence ? [`  ${written.sentence}`] : []),
      served.ok
        ? `  Isolates serve it: five answers in a row, the last after ${served.tookMs} ms.`
        : `  ${paint.yellow("!")} After ${Math.round(served.tookMs / 1000)} s an isolate still serves revision ${served.revision}.`,
    ].join("\n"),
  );
  if (!served.ok) cli.ends(EXIT.no);
}
