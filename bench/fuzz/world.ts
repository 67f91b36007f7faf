/** The flags that the fuzzer asks about, and bodies that mean something to them. */
import type { DocumentInput } from "../../src/core/flag/schema.ts";
import type { World } from "./requests.ts";

/** Addresses of the two origins of the flag `shop`. */
interface Origins {
  blue: string;
  green: string;
}

/** Host of the flag `shop`. */
export const SHOP_HOST = "shop.example.com";

/** A document with a flag of every kind: routed with a plan, plain with variants, killed, tied to others. */
export function documentFor({ blue, green }: Origins): DocumentInput {
  return {
    groups: { staff: ["ann", "bob"] },
    flags: {
      shop: {
        state: "canary",
        percentage: 10,
        release: "2.0",
        rules: [],
        route: { hosts: [SHOP_HOST], blue, green },
        overrides: { users: { ann: { state: "on" } } },
        plan: {
          start: "manual",
          stages: [
            {
              percentage: 10,
              duration: 60,
              minRequests: 20,
              exit: [{ signOff: "owner", what: "The owner agrees" }],
            },
            { percentage: 50, duration: 60, minRequests: 20, approval: "manual" },
            { percentage: 100, duration: 0, minRequests: 0 },
          ],
        },
      },
      search: {
        state: "canary",
        percentage: 25,
        cohorts: { beta: { users: ["staff", "carol"] } },
        variants: { old: { size: 1 }, new: { size: 2 } },
        offVariant: "old",
        onVariant: "new",
      },
      banner: { state: "on", dependencies: ["search"] },
      legacy: { state: "kill" },
    },
  };
}

/** Names and bodies for that document. */
export function worldOf(document: DocumentInput): World {
  const { shop, search } = document.flags;
  const reason = "a reason";
  return {
    names: ["shop", "shop", "search", "banner", "legacy", "beta", "nobody"],
    queries: {
      window: ["5m", "24h", "7 days", "90"],
      flag: ["shop"],
      who: ["test-admin"],
      tenant: ["tenant-1"],
    },
    bodies: {
      createFlag: [
        { name: "made", state: "off" },
        { name: "shop", state: "on" },
        { ...search, name: "made.2" },
      ],
      putFlag: [
        shop,
        search,
        { state: "off" },
        { current_state: "on", canary_percentage: 10, change_reason: reason },
      ],
      patchFlag: [
        { percentage: 30 },
        { state: "on" },
        { notes: "a note", owner: null },
        { cohorts: { beta: null } },
      ],
      putOverride: [
        { tenant: "tenant-1", state: "off", expires: "2030-01-31T12:00:00Z" },
        { override_state: "off", override_reason: reason, tenant_id: "tenant-1" },
      ],
      deleteOverride: [{ user: "ann" }, { tenant: "tenant-1" }],
      rollbackDocument: Array.from({ length: 5 }, (_, i) => ({ revision: i + 1, reason })),
      rollbackFlag: [
        {},
        { mode: "gradual" },
        { mode: "kill" },
        { version: "2.0" },
        { rollback_reason: reason },
      ],
      signOff: [{ role: "owner" }],
      promoteRollout: [{ force: true }, {}],
      evaluateFlag: [
        { bucket: 0.27 },
        { targetingKey: "ann", attributes: { tenant: "tenant-1", tags: ["a", 1] } },
      ],
      putDocument: [
        document,
        { ...document, enabled: false },
        { flags: { ...document.flags, more: { state: "on" } } },
      ],
      validateDocument: [document, { flags: {} }],
      pushEvents: [
        { id: "one", events: [{ flag: "shop", event: "sale", outcome: "success", ms: 12, key: "ann" }] },
      ],
      pushGauges: [{ flag: "shop", name: "cpu", value: 0.5 }, [{ name: "memory", value: 3, max: 4 }]],
      pushAlerts: [
        {
          version: "4",
          status: "firing",
          alerts: [
            {
              status: "firing",
              labels: { alertname: "HighLatency", flag: "shop" },
              startsAt: "2030-01-31T12:00:00Z",
              fingerprint: "f1",
            },
          ],
        },
      ],
    },
  };
}
