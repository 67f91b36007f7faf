/** One change of one flag in the text of the document, as people order it by the API or the command line. */
import type { Value } from "./schema.ts";

/** What is ordered. `put` replaces the flag or makes it; `patch` is a JSON merge patch (RFC 7396) of what is written. */
export type FlagEdit =
  | { kind: "create" | "put" | "patch"; value: { [key: string]: Value } }
  | { kind: "delete" }
  | { kind: "override"; of: "users" | "tenants"; id: string; override: { [key: string]: Value } | null };

/** The document with the change; or why there is none. */
export type Edited =
  | { ok: true; text: string; changed: boolean }
  | {
      ok: false;
      reason: "unreadable" | "unknown-flag" | "exists" | "not-an-object" | "no-override";
      sentence: string;
    };
