/** Promises of the executable itself: help at once, exit codes that reach the shell, an end at Ctrl-C. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ROOT } from "../../../src/cli/bundle.ts";
import { Command } from "../../support/command.ts";

const read = (file: string) => readFileSync(join(ROOT, file), "utf8");
const greenlight = (...args: string[]) => new Command("bin/greenlight.js", args);

test.each([[[]], [["help"]], [["--help"]]])("%j prints the help as it lies there", async (args: string[]) => {
  const command = greenlight(...args);
  expect(await command.exit).toBe(0);
  expect(command.output).toBe(read("src/cli/greenlight/help.txt"));
});

test("--version prints that of the package", async () => {
  const command = greenlight("--version");
  await command.exit;
  expect(command.output.trim()).toBe((JSON.parse(read("package.json")) as { version: string }).version);
});

test("the exit code reaches the shell, and the failure is told on stderr", async () => {
  const command = greenlight("lsit");
  expect(await command.exit).toBe(2);
  expect(command.output).toContain("Was list meant?");
});

test("the shell is told what may follow", async () => {
  const command = greenlight("complete", "--", "canary");
  expect(await command.exit).toBe(0);
  expect(command.output).toContain("canary-status\tShows where each rollout is");
});

test("completion works in a bash without the package bash-completion", () => {
  const script = `source <(node bin/greenlight.js completion bash); COMP_WORDS=(greenlight canary-s); COMP_CWORD=1
__greenlight_complete; echo "\${COMPREPLY[*]}"`;
  const args = ["--norc", "--noprofile", "-c", script];
  expect(execFileSync("bash", args, { cwd: ROOT, encoding: "utf8", stdio: "pipe" }).trim()).toBe(
    "canary-status",
  );
});
