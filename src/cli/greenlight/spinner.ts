/** A line on stderr that turns while something takes longer than a second. */

const FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏";
const FRAME_MS = 100;
/** Shorter than this nobody wonders. */
const PATIENCE_MS = 1000;

/** Does the work, with a sign of life from one second on. Only for a terminal. */
export async function spinning<T>(what: string, work: () => Promise<T>): Promise<T> {
  const from = Date.now();
  let frame = 0;
  const timer = setInterval(() => {
    const ms = Date.now() - from;
    if (ms < PATIENCE_MS) return;
    frame = (frame + 1) % FRAMES.length;
    process.stderr.write(`\r\x1b[2K${FRAMES[frame]} ${what} … ${Math.floor(ms / 1000)} s`);
  }, FRAME_MS);
  try {
    return await work();
  } finally {
    clearInterval(timer);
    if (Date.now() - from >= PATIENCE_MS) process.stderr.write("\r\x1b[2K");
  }
}
