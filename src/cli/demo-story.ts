/** The demo's story: who takes part, what a chapter is, and what chapters share. */
import type { DocumentInput } from "../core/flag/schema.ts";
import type { DemoChannel } from "./demo-channel.ts";
import type { DemoOrigin } from "./demo-origin.ts";
import type { Crowd, Round } from "./demo-visitors.ts";
import type { Running } from "./serve.ts";

/** Who takes part. */
export interface Story {
  blue: DemoOrigin;
  green: DemoOrigin;
  router: Running;
  crowd: Crowd;
  /** Where the router tells people what happens. */
  channel: DemoChannel;
}

/** One chapter: a title, and what it does; the answer is what was measured, as a sentence. */
export interface Chapter {
  title: string;
  tell(story: Story, progress: (line: string) => void): Promise<string>;
}

/** Standard deviations that a split may be off: chance alone exceeds it once in two million runs. */
const SIGMAS = 5;
/** An edit is read within a second here and adopted in one more; a slow machine gets some patience. */
const PATIENCE_MS = 12_000;
/** Share of visits that may fail before visitors would say that they noticed. */
export const NOTICED = 0.01;

/** Puts a document as `wrangler kv key put` does. */
export function put({ router }: Story, document: DocumentInput): void {
  router.kv.put("flags", JSON.stringify(document, null, 2));
}

/** Reads an answer of the admin API. */
export async function read<T>({ router }: Story, path: string): Promise<T> {
  const headers = { authorization: `Bearer ${router.token}` };
  const res = await fetch(`${router.url}/_greenlight/api${path}`, { headers });
  if (!res.ok) throw new Error(`${path} answered ${res.status}`);
  return (await res.json()) as T;
}

/** Is an edit through: does nobody move any more, and is the number on green what chance allows at this percentage? */
export function fits({ green, visits, moved, first }: Round, percentage: number): boolean {
  const p = percentage / 100;
  return moved + first === 0 && Math.abs(green - visits * p) <= SIGMAS * Math.sqrt(visits * p * (1 - p));
}

/** Rounds of visits until `enough`; throws after PATIENCE_MS. Answers all rounds. */
export async function visitUntil(
  story: Story,
  enough: (round: Round) => boolean | Promise<boolean>,
): Promise<Round[]> {
  const until = performance.now() + PATIENCE_MS;
  const rounds: Round[] = [];
  for (;;) {
    const round = await story.crowd.visit(story.router.url);
    rounds.push(round);
    if (await enough(round)) return rounds;
    if (performance.now() > until)
      throw new Error(`after ${PATIENCE_MS / 1000} s still ${JSON.stringify(round)}`);
  }
}

export function sum(rounds: Round[], field: keyof Round): number {
  return rounds.reduce((n, round) => n + round[field], 0);
}

/** Seconds since `from` (of `performance.now`), for a sentence. */
export function since(from: number): string {
  return `${((performance.now() - from) / 1000).toFixed(1)} s`;
}

export function expect(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise);
}
