/** Notices that the process which started this one is gone: npm and shells that are killed do not tell their children. */

/** Between two looks, milliseconds. */
const LOOK_MS = 500;

/** Calls `leave` once when the parent process has ended. Keeps nothing alive. */
export function onOrphaned(leave: () => void): void {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    leave();
  }, LOOK_MS);
  timer.unref();
}
