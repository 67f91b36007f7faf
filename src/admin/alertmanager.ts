/** The webhook of Prometheus Alertmanager, version 4, exactly as it sends it; fields that it may add later pass. */
import * as z from "zod";
import type { PushedAlert } from "../control/telemetry-api.ts";

/** Alerts in one notification. Alertmanager cuts at `max_alerts` where it is set. */
const MAX_ALERTS = 2_000;

const labels = z.record(z.string(), z.string());
/** RFC 3339, down to nanoseconds; a time that is not known is the year 1. */
const time = z.iso.datetime({ offset: true }).transform((at) => Math.max(0, Date.parse(at)));

const alert = z
  .looseObject({
    status: z.enum(["firing", "resolved"]),
    labels,
    annotations: labels.optional(),
    startsAt: time,
    endsAt: time.optional(),
    fingerprint: z.string().min(1).max(256),
  })
  .transform(({ status, labels, startsAt, endsAt, fingerprint }): PushedAlert => {
    const { flag, alertname = "" } = labels;
    return {
      status,
      fingerprint,
      name: alertname,
      labels,
      startsAt,
      ...(flag === undefined ? {} : { flag }),
      ...(endsAt ? { endsAt } : {}),
    };
  });

/** Body of POST /alerts. */
export const alertsBody = z.looseObject({
  version: z.literal("4"),
  status: z.enum(["firing", "resolved"]),
  groupLabels: labels.optional(),
  alerts: z.array(alert).max(MAX_ALERTS),
});
