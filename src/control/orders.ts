/** What the outbox has to do by itself, as the flags ask for it: health checks and gauges to fetch. */
import type { Notify } from "../core/flag/notify.ts";
import type { Flag } from "../core/flag/schema.ts";
import type { Check, Orders, Pull } from "../core/wire/outbox.ts";

/** The orders of these flags. A flag that is off or killed is not checked: nobody depends on it. */
export function ordersOf(revision: number, notify: Notify, flags: ReadonlyMap<string, Flag>): Orders {
  const checks: Check[] = [];
  const pulls: Pull[] = [];
  for (const [name, flag] of flags) {
    if (flag.state === "off" || flag.state === "kill") continue;
    if (flag.healthCheck && flag.route) {
      for (const variant of ["blue", "green"] as const) {
        checks.push({ flag: name, variant, origin: flag.route[variant], ...flag.healthCheck });
      }
    }
    for (const [gauge, pull] of Object.entries(flag.pulls)) pulls.push({ flag: name, gauge, ...pull });
  }
  return { revision, notify, checks, pulls };
}
