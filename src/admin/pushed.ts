/** The forms in which origins push events and gauges. What comes out of them holds no id of anybody. */
import * as z from "zod";
import type { PushedEvent, PushedGauge } from "../control/telemetry-api.ts";
import { signalName } from "../core/flag/condition.ts";
import { visitorHash } from "../core/hashing/visitor.ts";
import { name } from "./schemas/common.ts";

/** Events or gauges in one push. */
const MAX_PUSHED = 1_000;
/** Longest time that an event can have taken, milliseconds: a day. */
const MAX_MS = 86_400_000;

const time = z
  .union([z.number().min(0), z.iso.datetime({ offset: true })], {
    error: "milliseconds since the epoch, or a time such as 2030-01-31T12:00:00Z",
  })
  .transform((at) => (typeof at === "number" ? Math.floor(at) : Date.parse(at)));

const event = z
  .strictObject({
    flag: name,
    variant: z.enum(["blue", "green"]).optional(),
    event: signalName,
    outcome: z.enum(["success", "failure"]).optional(),
    ms: z.number().min(0).max(MAX_MS).optional(),
    value: z.number().min(0).optional(),
    key: z.string().min(1).max(1024).optional(),
    cohort: name.optional(),
    at: time.optional(),
  })
  .refine(({ ms, value }) => ms === undefined || value === undefined, {
    path: ["value"],
    error: "either ms or value: send two events to tell both",
  })
  .transform(({ key, ...rest }): PushedEvent => {
    return key === undefined ? compact(rest) : { ...compact(rest), visitor: visitorHash(key) };
  });

const gauge = z
  .strictObject({
    flag: name.optional(),
    name: signalName,
    value: z.number(),
    max: z.number().positive().optional(),
    at: time.optional(),
  })
  .transform(({ max, value, ...rest }): PushedGauge => {
    return compact({ ...rest, value: max === undefined ? value : value / max });
  });

/** Body of POST /events. */
export const eventsBody = z.strictObject({
  id: z.string().min(1).max(128).optional(),
  events: z.array(event).max(MAX_PUSHED),
});

/** Body of POST /gauges: one or a list. */
export const gaugeBody = gauge.transform((one) => [one]);
export const gaugesBody = z.array(gauge).max(MAX_PUSHED);

/** The object without the members that are undefined. */
function compact<T extends object>(given: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const kept = Object.entries(given).filter(([, value]) => value !== undefined);
  return Object.fromEntries(kept) as { [K in keyof T]: Exclude<T[K], undefined> };
}
