/** What the router has decided about a request, before anything is sent. */
import type { Decision } from "../core/flag/evaluate.ts";
import type { Lane } from "./lane.ts";

/** What was decided about a request. */
export interface Choice {
  lane: Lane;
  decision: Decision;
  /** 32-bit hash that tells visitors apart. */
  visitor: number;
  /** Of a visitor who has no cookie yet and may be given one. */
  anchor: string | undefined;
}
