/** Flags as the API answers them, and as they are written to it. The form of a flag itself is the document's. */
import { z } from "@hono/zod-openapi";
import type { FlagSpecView } from "../../core/api/views.ts";
import type { Flag, Value } from "../../core/flag/schema.ts";
import { at, faultSchema, MAX_REASON, said, viewed } from "./common.ts";

export const STATES = ["off", "shadow", "canary", "on", "kill"] as const;
export const state = z.enum(STATES).openapi({ example: "canary" });

/** A flag as it is written. What is in it is checked with the whole document, which says more of a fault. */
const writtenFlag = z.record(z.string(), z.custom<Value>());

/** Component whose content is the flag of the document's JSON Schema (`openapi.ts` puts it in). */
export const flagBody = writtenFlag.openapi("Flag", { type: "object" });

const thorbisState = z.strictObject({
  current_state: state,
  canary_percentage: z.number().min(0).max(100).optional(),
  change_reason: z.string().max(MAX_REASON).optional(),
  by: said.by,
});
/** Thorbis's body of a change of state. */
export const thorbisChange = thorbisState.openapi("StateChange", {
  example: { current_state: "on", change_reason: "Ready for production" },
});
export type ThorbisChange = z.output<typeof thorbisChange>;

/** Body of PUT /flags/NAME: a flag, or Thorbis's change of its state. */
export const putBody = z.union([thorbisChange, flagBody]);

/** Body of POST /flags: a flag and its name. */
export const newFlagBody = writtenFlag.openapi("NewFlag", { type: "object" });

/** Body of PATCH /flags/NAME: a JSON merge patch of what is written. */
export const patchBody = writtenFlag.openapi("FlagPatch", {
  type: "object",
  description: "JSON merge patch (RFC 7396): what it names is set, null takes it out.",
  example: { state: "canary", percentage: 25 },
});

const specFields = {
  name: z.string(),
  written: z
    .record(z.string(), z.custom<Value>())
    .nullable()
    .openapi("WrittenFlag", {
      type: ["object", "null"],
      description: "As it is written in the document; null where its text is not kept.",
    }),
  flag: z
    .custom<Flag>()
    .nullable()
    .openapi("FilledFlag", {
      type: ["object", "null"],
      description:
        "With its defaults: the members of Flag, all that have one. The last good form where there are faults.",
    }),
  faults: z.array(faultSchema),
  etag: z.string().openapi({ description: "Of this flag alone, for If-Match.", example: '"12-9f86d081"' }),
  revision: z.number().nullable(),
  updatedAt: at.nullable(),
  createdAt: at.nullable(),
  served: z.number().openapi({ description: "Percent of visitors on green as served now." }),
  effective: state,
  why: z.string().nullable().openapi({ description: "What keeps green out." }),
};

/** One flag of the document. */
export const flagSpec = viewed<FlagSpecView>()(z.object(specFields)).openapi("FlagSpec");

/** The same by the names that Thorbis's clients know. Times are ISO 8601. */
const thorbisNames = {
  flag_name: z.string(),
  flag_type: z.enum(["domain", "feature", "experiment", "kill_switch"]),
  current_state: state,
  canary_percentage: z.number(),
  rollback_time_seconds: z.number(),
  dependencies: z.array(z.string()),
  created_at: z.string().nullable(),
  updated_at: z.string().nullable(),
};
export const flagItem = z.object({ ...specFields, ...thorbisNames }).openapi("FlagItem");
export type FlagItem = z.output<typeof flagItem>;

/** All flags, and what each is for the tenant or key that is asked about. */
export const flagList = z
  .object({
    revision: z.number(),
    etag: z.string().openapi({ description: "Of the whole document." }),
    enabled: z.boolean(),
    faults: z.array(faultSchema),
    flags: z.array(flagItem),
    effective_states: z.record(z.string(), state),
  })
  .openapi("FlagList");

/** Which flags are asked for, and for whom. */
export const listQuery = z.object({
  tenant: z.string().min(1).max(256).optional().openapi({ description: "Whose effective states." }),
  key: z
    .string()
    .min(1)
    .max(256)
    .optional()
    .openapi({ description: "The targeting key whose effective states." }),
  state: state.optional().openapi({ description: "Only flags that are so, as it counts now." }),
  kind: z.enum(["release", "experiment", "operational", "kill-switch", "permission"]).optional(),
  q: z
    .string()
    .max(256)
    .optional()
    .openapi({ description: "Only flags with this in name, description or owner." }),
});
