/** Worker threads that share the runs of all scenarios. */
import { once } from "node:events";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import type { Field } from "./contenders.ts";
import { TICK_MS } from "./plug.ts";
import type { Case } from "./scenarios.ts";
import type { Chunk, Outcomes } from "./worker.ts";

/** Ticks of a chunk: some seconds of work. */
const CHUNK_TICKS = 2_000_000;

export interface Job {
  scenario: Case;
  run0: number;
  runs: number;
}

/** Runs the jobs on so many threads; `done` is called as each is finished. */
export async function runAll(
  jobs: readonly Job[],
  field: Field,
  threads: number,
  done: (job: Job, outcomes: Outcomes) => void,
): Promise<void> {
  const chunks = jobs.flatMap(chunksOf);
  const parts = new Map(
    jobs.map((job) => [job, { left: chunks.filter((c) => c.job === job).length, all: {} as Outcomes }]),
  );
  const finish = (job: Job, outcomes: Outcomes) => {
    const part = parts.get(job)!;
    for (const [name, list] of Object.entries(outcomes)) {
      part.all[name] ??= [];
      part.all[name].push(...list);
    }
    part.left -= 1;
    if (part.left === 0) done(job, part.all);
  };
  await Promise.all(
    Array.from({ length: Math.min(threads, chunks.length) }, async () => {
      const worker = new Worker(join(import.meta.dirname, "worker.ts"), { workerData: field });
      try {
        for (let next = chunks.shift(); next !== undefined; next = chunks.shift()) {
          worker.postMessage(next.chunk);
          // `once` rejects on the worker's "error".
          const [outcomes] = (await once(worker, "message")) as [Outcomes];
          finish(next.job, outcomes);
        }
      } finally {
        await worker.terminate();
      }
    }),
  );
}

function chunksOf(job: Job): { job: Job; chunk: Chunk }[] {
  const { name, historyHours, hours } = job.scenario;
  const ticks = ((historyHours + hours) * 3_600_000) / TICK_MS;
  const size = Math.max(1, Math.floor(CHUNK_TICKS / ticks));
  const chunks: { job: Job; chunk: Chunk }[] = [];
  for (let at = 0; at < job.runs; at += size)
    chunks.push({
      job,
      chunk: { scenario: name, run0: job.run0 + at, runs: Math.min(size, job.runs - at) },
    });
  return chunks;
}
