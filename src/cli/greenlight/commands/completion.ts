/** `greenlight completion SHELL`, and `greenlight complete`, which the shell asks at every press of Tab. */
import { resolve } from "node:path";
import { Argument, Command } from "commander";
import { ROOT } from "../../bundle.ts";
import type { CommandFactory } from "../cli.ts";

/** Splits the line as bash itself does, where the package bash-completion is not there to do it better. */
const BASH_WORDS = `if ! declare -F _get_comp_words_by_ref >/dev/null; then
    _get_comp_words_by_ref() {
        words=("\${COMP_WORDS[@]}")
        cword=$COMP_CWORD
        cur=\${COMP_WORDS[COMP_CWORD]}
        prev=\${COMP_WORDS[COMP_CWORD - 1]}
    }
fi
`;

/** What the library calls its own command, beside ours. */
const OWN_NAME = "completion-script";

const SHELLS = ["bash", "zsh", "fish", "powershell"];

export const completionCommand: CommandFactory = () =>
  new Command("completion")
    .description("Prints the script that completes commands, options and names of flags: see docs/cli.md.")
    .addArgument(new Argument("<shell>", "which one").choices(SHELLS))
    .action(async (shell: string) => {
      const { script } = await import("@bomb.sh/tab");
      if (shell === "bash") process.stdout.write(BASH_WORDS);
      // By its whole path: a shell that completes does not know aliases.
      script(shell, "greenlight", resolve(ROOT, "bin/greenlight.js"));
    });

export const completeCommand: CommandFactory = () =>
  new Command("complete")
    .description("What may follow on a command line: for the shell, not for people.")
    .argument("[words...]")
    .allowUnknownOption()
    .action(async (words: string[]) => {
      const [{ default: tab }, { allCommands }, { keptNames }, { summaryOf }] = await Promise.all([
        import("@bomb.sh/tab/commander"),
        import("../all-commands.ts"),
        import("../names.ts"),
        import("../help-text.ts"),
      ]);
      const { root } = await allCommands();
      for (const command of root.commands) command.description(summaryOf(command));
      const names = await keptNames();
      const flags = (complete: (value: string, description: string) => void) => {
        for (const name of names) complete(name, "");
      };
      const completion = tab(root, { completionCommandName: OWN_NAME });
      // Its own way to print the scripts; ours is `completion`.
      completion.commands.delete(OWN_NAME);
      for (const command of completion.commands.values()) {
        if (command.arguments.has("flag")) command.argument("flag", flags);
        const option = command.options.get("flag");
        if (option) option.handler = flags;
      }
      completion.parse(words);
    });
