/** A command of ours as a child process, with what it printed. */
import { type ChildProcess, spawn } from "node:child_process";
import { resolve } from "node:path";
import { ROOT } from "../../src/cli/bundle.ts";

/** A running command. */
export class Command {
  /** What it printed so far, both streams together. */
  output = "";
  readonly exit: Promise<number | null>;
  readonly #child: ChildProcess;
  readonly #looks = new Set<() => void>();

  /** Runs a script, given by its path in the repository or an absolute one, with the Node that runs the tests. */
  constructor(script: string, args: string[] = []) {
    this.#child = spawn(process.execPath, [resolve(ROOT, script), ...args], {
      cwd: ROOT,
      env: { ...process.env, NO_COLOR: "1", FORCE_COLOR: undefined },
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.output += text;
        for (const look of this.#looks) look();
      });
    }
    this.exit = new Promise((done) => this.#child.once("close", (code) => done(code)));
  }

  /** Waits for output that matches; throws with all of it when the command ends before. */
  async until(pattern: RegExp): Promise<RegExpMatchArray> {
    const seen = new Promise<RegExpMatchArray>((done) => {
      const look = () => {
        const match = this.output.match(pattern);
        if (match) {
          this.#looks.delete(look);
          done(match);
        }
      };
      this.#looks.add(look);
      look();
    });
    const match = await Promise.race([seen, this.exit]);
    if (match === null || typeof match === "number") throw new Error(`no ${pattern} in:\n${this.output}`);
    return match;
  }

  /** Asks it to end, as a terminal or a supervisor does, and waits for the end. */
  async end(signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
    this.#child.kill(signal);
    return await this.exit;
  }
}
