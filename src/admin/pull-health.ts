/** Since when the pull fails, for the health page. Anybody may ask for that, so the controller is asked rarely. */
import { withTimeout } from "../edge/state.ts";
import { controllerStub } from "./controller.ts";

/** An answer of the controller is good for so long, milliseconds. */
const KEPT_MS = 10_000;

/** Health must be told while the controller is down, milliseconds. */
const TIMEOUT_MS = 1000;

/** Null while it goes well, or while that is not known. */
export interface PullHealth {
  /** Milliseconds since the epoch. */
  failingSince: number | null;
}

let known: { env: Env; until: number; health: PullHealth } | undefined;

/** How the pull does; undefined where none is set up. Never throws. */
export async function pullHealth(env: Env, now: number): Promise<PullHealth | undefined> {
  if (!env.PULL_URL) return undefined;
  const last = known?.env === env ? known : undefined;
  if (last && now < last.until) return last.health;
  const failingSince = await withTimeout(controllerStub(env).pullState(), TIMEOUT_MS).then(
    (state) => state?.failingSince ?? null,
    () => last?.health.failingSince ?? null,
  );
  known = { env, until: now + KEPT_MS, health: { failingSince } };
  return known.health;
}
