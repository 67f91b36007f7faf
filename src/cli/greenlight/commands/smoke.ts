/** `greenlight smoke FLAG`: the requests of the plan's next `validate`, asked of green and blue from this machine. */
import { Command } from "commander";
import type { RolloutView } from "../../../core/api/views.ts";
import type { Expectation } from "../../../core/flag/plan.ts";
import type { Flag } from "../../../core/flag/schema.ts";
import type { Cli, CommandFactory } from "../cli.ts";
import { EXIT } from "../exit.ts";
import { misused } from "../failure.ts";
import { type Asked, askOrigin } from "../smoke.ts";
import { latency, table } from "../table.ts";
import { nameOf } from "../words.ts";

interface SmokeFlags {
  path?: string[];
  side: string;
}

/** What green has to answer: the paths that are named, else the requests of the next stage that has any, else its health check. */
function requestsOf(flag: Flag, rollout: RolloutView, paths: string[] | undefined): Partial<Expectation>[] {
  if (paths) return paths.map((path) => ({ path }));
  const stages = flag.plan?.stages ?? [];
  const next = stages.slice(Math.max(rollout.stage, 0)).find(({ validate }) => validate.length > 0);
  const any = next ?? stages.findLast(({ validate }) => validate.length > 0);
  if (any) return any.validate;
  const { healthCheck } = flag;
  return [healthCheck ? { path: healthCheck.path, status: healthCheck.status } : { path: "/" }];
}

async function smoke(cli: Cli, name: string, { path, side }: SmokeFlags): Promise<void> {
  cli.needsRouter("smoke");
  const api = await cli.api();
  const encoded = encodeURIComponent(name);
  const { flag } = await (await cli.store()).get(name);
  const route = flag?.route;
  if (!flag || !route) misused(`${name} has no route: there is nothing to ask.`);
  const rollout = await api.ask<RolloutView>(`/flags/${encoded}/rollout`);
  const sides = (["green", "blue"] as const).filter((variant) => side === "both" || side === variant);
  const asked: Asked[] = [];
  for (const variant of sides) {
    for (const request of requestsOf(flag, rollout, path))
      asked.push(
        await cli.busy(`asking ${variant}`, () =>
          askOrigin(variant, route[variant], request, cli.interrupted),
        ),
      );
  }
  const ok = asked.every((one) => one.ok);
  const { paint } = cli.out;
  cli.out.show({ flag: name, ok, asked }, () =>
    table(
      cli.out,
      ["", "side", "request", "answer", "took", ""],
      asked.map((one) => [
        one.ok ? paint.green("✓") : paint.red("✗"),
        one.side,
        `${one.method} ${one.path}`,
        one.status === null ? "–" : String(one.status),
        latency(one.ms),
        one.sentence,
      ]),
    ),
  );
  cli.out.note("Asked from this machine, past the router: nothing was counted, and no gate has seen it.");
  if (!ok) cli.ends(EXIT.no);
}

export const smokeCommand: CommandFactory = (cli) =>
  new Command("smoke")
    .description(
      "Asks green, and blue beside it, what the plan's next smoke requests (validate) ask, from this machine and past the router.",
    )
    .argument("<flag>", "its name", nameOf)
    .option("--path <path...>", "these paths instead, each to be answered with 200")
    .option("--side <side>", "green, blue or both", "both")
    .action((flag: string, flags: SmokeFlags) => smoke(cli, flag, flags));
