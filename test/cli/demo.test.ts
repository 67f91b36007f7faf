import { expect, test } from "vitest";
import { Command } from "../support/command.ts";

test("npm run demo tells the whole story, in under a minute, and it holds", async () => {
  const command = new Command("src/cli/demo.ts");
  const code = await command.exit;
  expect(command.output).toContain("The story holds.");
  expect(command.output).toMatch(/halted after \d/);
  expect(command.output).toContain("The channel was told: 10 %, 50 %, 100 %");
  expect(command.output).toContain("Green of 2.4.0 is out of traffic");
  expect(code).toBe(0);
});
