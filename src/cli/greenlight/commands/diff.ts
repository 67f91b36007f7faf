/** `greenlight diff`: what a document would change of the one in force. */
import { Command } from "commander";
import { parseDocument } from "../../../core/flag/parse.ts";
import { inForce, sourceText, type Wanted, wantedText } from "../applying.ts";
import type { CommandFactory } from "../cli.ts";
import { compared, differenceText, isSame } from "../difference-text.ts";
import { EXIT } from "../exit.ts";
import { wantedOf, wanting } from "../wanting.ts";

export const diffCommand: CommandFactory = (cli) =>
  wanting(new Command("diff"))
    .description(
      "Shows what a document would change of the one in force: by flag and field, which way green goes, and for how many visitors. Exit code 1 where anything differs.",
    )
    .action(async (file: string | undefined, given: Parameters<typeof wantedOf>[1]) => {
      const wanted: Wanted = wantedOf(file, given);
      const [source, target] = await Promise.all([sourceText(cli, wanted), inForce(cli)]);
      const text = wantedText(source.text, target.text, wanted);
      const difference = compared(parseDocument(target.text), parseDocument(text));
      const same = isSame(difference);
      cli.out.show({ same, ...difference }, () =>
        same ? cli.out.paint.green("Nothing differs.") : differenceText(cli.out.paint, difference),
      );
      if (!same) cli.ends(EXIT.no);
    });
