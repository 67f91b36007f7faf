/** What a write came to, told to people and scripts. */
import type { Cli } from "./cli.ts";
import type { Written } from "./store.ts";
import { percent } from "./table.ts";
import { afterFlag } from "./way-on.ts";

/** Tells what was done to a flag or to the document. `what` is a sentence in the past: `Deleted checkout`. */
export function showWritten(cli: Cli, what: string, written: Written): void {
  const { paint } = cli.out;
  cli.out.show(written, () => {
    const { flag, revision, changed, replayed, sentence } = written;
    const done = changed ? `${paint.green("✓")} ${what}.` : `${paint.dim("=")} ${what}: it was so before.`;
    // KV alone knows of none.
    const lines = [revision === 0 ? done : `${done} ${paint.dim(`revision ${revision}`)}`];
    if (replayed) lines.push("  An earlier try had done it already.");
    if (sentence) lines.push(`  ${sentence}`);
    if (flag) {
      const why = flag.why === null ? "" : `: ${flag.why}`;
      lines.push(`  ${flag.name} counts as ${flag.effective}, ${percent(flag.served)} served${why}`);
      const on = afterFlag(flag);
      if (on !== undefined) lines.push(`  → ${on}`);
    }
    return lines.join("\n");
  });
}
