/** `greenlight revisions`: documents of earlier, for `rollback --to`. */
import { Command } from "commander";
import type { RevisionView } from "../../../core/api/views.ts";
import { integer } from "../../options.ts";
import type { CommandFactory } from "../cli.ts";
import { count, table, when } from "../table.ts";

/** Most of one page, as the API gives. */
const MAX_PAGE = 100;

interface RevisionsFlags {
  limit: number;
  before?: number;
}

export const revisionsCommand: CommandFactory = (cli) =>
  new Command("revisions")
    .description("Lists the documents of earlier, the newest first, or prints the text of one.")
    .argument("[revision]", "print its text", integer(1, Number.MAX_SAFE_INTEGER))
    .option("--limit <n>", "how many", integer(1, MAX_PAGE), 20)
    .option("--before <revision>", "older than this one", integer(1, Number.MAX_SAFE_INTEGER))
    .action(async (revision: number | undefined, page: RevisionsFlags) => {
      cli.needsRouter("revisions");
      const api = await cli.api();
      if (revision !== undefined) {
        const text = await api.ask<string>(`/revisions/${revision}`, { asText: true });
        return cli.out.show({ revision, text }, () => text.trimEnd());
      }
      const answer = await api.ask<{ revisions: RevisionView[] }>("/revisions", { query: { ...page } });
      const now = Date.now();
      cli.out.show(answer, () =>
        table(
          cli.out,
          ["revision", "when", "who", "bytes", "reason"],
          answer.revisions.map(({ revision: id, at, who, how, bytes, reason }) => [
            String(id),
            when(at, now),
            `${who} (${how})`,
            count(bytes),
            reason,
          ]),
        ),
      );
    });
