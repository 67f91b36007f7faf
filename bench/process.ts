/** CPU time of another process, and on which processor it may run. Linux only. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";

const NS_PER_US = 1000;

/** CPU time that all threads of a process have used so far, microseconds. */
export function cpuMicros(pid: number): number {
  let ns = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) ns += threadNanos(pid, thread);
  return ns / NS_PER_US;
}

function threadNanos(pid: number, thread: string): number {
  try {
    return Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]);
  } catch {
    return 0; // it ended between the listing and the reading
  }
}

/**
 * Pins all threads of a process to one processor, so that the scheduler's moves do not enter the figures.
 * False where there is only one processor or no taskset.
 */
export function pin(pid: number, processor: number): boolean {
  if (availableParallelism() < 2) return false;
  try {
    execFileSync("taskset", ["-a", "-p", "-c", String(processor), String(pid)], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
