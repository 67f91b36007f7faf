/** `greenlight watch`: every change as it happens, one line each. */
import { Command } from "commander";
import { integer } from "../../options.ts";
import { entryText } from "../change-text.ts";
import { changes } from "../changes.ts";
import type { CommandFactory } from "../cli.ts";

const MS = 1000;

interface WatchFlags {
  flag?: string;
  after?: number;
  count?: number;
  revisions: boolean;
}

export const watchCommand: CommandFactory = (cli) =>
  new Command("watch")
    .description(
      "Shows every change as it happens, a line each, until Ctrl-C. It comes back by itself when the line breaks.",
    )
    .option("--flag <flag>", "only of this flag, and what is about all")
    .option("--after <id>", "begin after this entry of the audit log", integer(0, Number.MAX_SAFE_INTEGER))
    .option("--count <n>", "end after so many", integer(1, Number.MAX_SAFE_INTEGER))
    .option("--revisions", "also when the revision alone is another one", false)
    .action(async ({ flag, after, count, revisions }: WatchFlags) => {
      cli.needsRouter("watch");
      const api = await cli.api();
      const enough = new AbortController();
      const until = AbortSignal.any([enough.signal, cli.interrupted]);
      const onLost = (why: string, retryMs: number) => cli.out.note(`${why}; again in ${retryMs / MS} s`);
      let shown = 0;
      for await (const change of changes(api, { after, onLost }, until)) {
        if (change.type === "revision") {
          if (!revisions) continue;
          cli.out.line(change, () => cli.out.paint.dim(`revision ${change.revision}`));
        } else {
          if (flag !== undefined && change.entry.flag !== null && change.entry.flag !== flag) continue;
          cli.out.line(change.entry, () => entryText(cli.out.paint, change.entry));
        }
        shown++;
        if (shown === count) {
          enough.abort();
          return;
        }
      }
    });
