/**
 * What an isolate serves: the published snapshot, the flag document that it reads in KV and the kill key, combined.
 * Pure; the rules are those of "How a hand edit, the API and the controller agree" in docs/architecture.md. In short:
 * what lowers green counts at once, whoever says it; what raises green waits for the controller.
 */
import type { ParsedDocument } from "../flag/parse.ts";
import { FULL_SHARE } from "../flag/percentage.ts";
import { isElsewhere } from "../flag/provisos.ts";
import type { Flag } from "../flag/schema.ts";
import { CANARY_SWITCH, cohortSwitch, isSwitchedOff } from "../flag/switches.ts";
import { askedShare, heldShare, saidShare } from "./asked-share.ts";
import { isKilled } from "./kill.ts";
import { type Layer, layerOf, type Ruling } from "./layer.ts";
import { wholeFlag } from "./published.ts";
import { EVERY_RELEASE, type Halt, type Snapshot } from "./snapshot.ts";

export { askedShare };

/** Without an answer from a shard for so long, an isolate takes a raise from KV by itself. */
export const ALONE_AFTER_MS = 120_000;

/** A flag document as read from KV. */
export interface KvDocument {
  hash: string;
  /** Revision in the KV metadata: the controller put it. Absent: a person did. */
  revision: number | undefined;
  parsed: ParsedDocument;
}

/** All that an isolate knows. */
export interface Knowledge {
  snapshot: Snapshot | undefined;
  document: KvDocument | undefined;
  /** Text of the `kill` key. */
  kill: string;
  /** Name of the environment; undefined: it has none. */
  environment?: string | undefined;
  /** When this isolate last had an answer from a shard, or else when it first asked (ms since the epoch). */
  heardAt: number;
  now: number;
}

/** Why green is out of the question for a flag, strongest first. */
export type Stop = "kill" | "switch" | "halt";

/** One flag as it is served. */
export interface EffectiveFlag {
  name: string;
  spec: Flag;
  /** Share of green in thousandths of a percent; 0 whenever `stop` is set. */
  share: number;
  /**
   * The forms that decide; green is who is green by all of them. One, or two while an edit waits to be published.
   * Where `stop` is set nobody is asked.
   */
  layers: readonly Layer[];
  stop: Stop | undefined;
  /** What has stopped it, in words that go on from "It is off:"; undefined where nothing has. */
  cause: string | undefined;
  /** Does green get copies of what blue answers? In the state shadow, and in a plan's stage of that kind. */
  shadow: boolean;
  /** True where a spec without any published status is served: reason STALE. */
  stale: boolean;
  /** What a variable of the Worker says for everyone, over all but `stop`; absent where none says anything. */
  forced?: "on" | "off";
}

/** Is the document a change that the controller has not published yet? */
export function isPending(document: KvDocument | undefined, snapshot: Snapshot | undefined): boolean {
  if (!document || isUnreadable(document.parsed)) return false;
  if (!snapshot) return true;
  if (document.revision !== undefined) return document.revision > snapshot.revision;
  return document.hash !== snapshot.specHash;
}

/** Bytes that are no document at all ask for nothing; they are reported, and what was served goes on. */
function isUnreadable(parsed: ParsedDocument): boolean {
  return parsed.enabled === undefined && parsed.flags.size === 0 && parsed.broken.size === 0;
}

/** A flag that is served with a share of green and nothing else: no cohorts, no overrides, no halts. */
export function servedBare(name: string, spec: Flag, share: number, stale = false): EffectiveFlag {
  const shadow = spec.state === "shadow";
  const layers = [bareLayer(spec, share)];
  return { name, spec, share, layers, stop: undefined, cause: undefined, shadow, stale };
}

/** Combines what is known into the flags to serve, sorted by name. */
export function effectiveFlags(k: Knowledge): EffectiveFlag[] {
  const pending = isPending(k.document, k.snapshot) ? k.document?.parsed : undefined;
  if (!k.snapshot) return fromDocumentAlone(k, pending);
  const { snapshot } = k;
  const alone = pending !== undefined && k.now - k.heardAt >= ALONE_AFTER_MS;
  const served = new Serving({ ...k, snapshot, pending, alone });
  const names = new Set(Object.keys(snapshot.flags));
  if (alone) {
    for (const name of names) if (!pending.flags.has(name) && !pending.broken.has(name)) names.delete(name);
    for (const name of pending.flags.keys()) names.add(name);
  }
  return [...names].sort().map((name) => served.flag(name));
}

/** What is served by. */
interface Given {
  kill: string;
  environment?: string | undefined;
  snapshot: Snapshot;
  pending: ParsedDocument | undefined;
  /** An edit counts by itself, for no shard answers. */
  alone: boolean;
  /** No controller has said anything: halts are not known. */
  isFirst?: boolean;
}

/** What is served while a snapshot is known. */
class Serving {
  readonly #given: Given;
  readonly #published = new Map<string, Flag>();
  readonly #enabled: boolean;
  readonly #canariesOff: boolean;
  readonly #isCohortOff: (cohort: string) => boolean;

  constructor(given: Given) {
    this.#given = given;
    const { kill, snapshot, pending, alone, environment } = given;
    this.#enabled = alone
      ? (pending?.enabled ?? snapshot.enabled)
      : snapshot.enabled && (pending?.enabled ?? true);
    const isOff = (name: string) => {
      const forms = this.#forms(name);
      return isSwitchedOff(name, forms, kill) || forms.some((form) => isElsewhere(form, environment));
    };
    this.#canariesOff = isOff(CANARY_SWITCH);
    this.#isCohortOff = (cohort) => isOff(cohortSwitch(cohort));
  }

  flag(name: string): EffectiveFlag {
    const { snapshot, environment } = this.#given;
    const forms = this.#forms(name);
    const spec = forms[0]!;
    const halts = snapshot.halts.filter(
      (h) => h.flag === name && (h.release === EVERY_RELEASE || forms.some((f) => f.release === h.release)),
    );
    const stopped = this.#stopOf(name, forms, halts);
    if (stopped) return { name, spec, share: 0, layers: [], ...stopped, shadow: false, stale: false };
    const staged = snapshot.status[name]?.shadow === true;
    const shadow = forms.every(
      (form) =>
        !isElsewhere(form, environment) && (form.state === "shadow" || (form.state === "canary" && staged)),
    );
    const layers = forms.map((form) => this.#layer(name, form, halts));
    const share = Math.min(...layers.map((layer) => layer.share));
    return { name, spec, share, layers, stop: undefined, cause: undefined, shadow, stale: false };
  }

  /** The published form, the same object whenever it is asked for. */
  #publishedForm(name: string): Flag | undefined {
    const { flags } = this.#given.snapshot;
    if (!Object.hasOwn(flags, name)) return undefined;
    const form = this.#published.get(name) ?? wholeFlag(flags[name]!);
    this.#published.set(name, form);
    return form;
  }

  /** The forms of a flag that count, the one to be served first. */
  #forms(name: string): Flag[] {
    const { pending, alone } = this.#given;
    const published = this.#publishedForm(name);
    const edited = pending?.flags.get(name);
    const forms = alone ? [edited ?? published] : [published, edited];
    return forms.filter((form) => form !== undefined);
  }

  #layer(name: string, form: Flag, halts: Halt[]): Layer {
    const { snapshot, alone, environment, isFirst } = this.#given;
    const published = this.#publishedForm(name);
    const status = snapshot.status[name];
    const isPublished = form === published;
    // What was decided of another release, or without a plan, allows nobody in a plan that nobody has published yet.
    const isNew =
      alone &&
      form.plan !== undefined &&
      (published?.plan === undefined || form.release !== published.release);
    const cohorts = isNew ? [] : status?.cohorts;
    const asked = isPublished
      ? (status?.share ?? askedShare(form))
      : saidShare(form, isNew ? undefined : published, status);
    const share = Math.min(asked, isPublished ? FULL_SHARE : heldShare(form, published, status, halts));
    const isCohortOff = this.#isCohortOff;
    return layerOf(form, { share, cohorts, status, halts, isCohortOff, environment, knowsHalts: !isFirst });
  }

  #stopOf(
    name: string,
    forms: readonly Flag[],
    halts: readonly Halt[],
  ): { stop: Stop; cause: string } | undefined {
    const whole = halts.filter(({ cohort }) => cohort === undefined);
    if (isKilled(this.#given.kill, name)) return { stop: "kill", cause: "the kill key names it" };
    if (forms.some(({ state }) => state === "kill")) return { stop: "kill", cause: "its state is kill" };
    const kill = whole.find(({ action }) => action === "kill");
    if (kill) return { stop: "kill", cause: `it was killed: ${kill.reason}` };
    if (!this.#enabled) return { stop: "switch", cause: "the global switch is off" };
    if (this.#canariesOff && forms.some(({ state }) => state === "canary"))
      return { stop: "switch", cause: `${CANARY_SWITCH} is off` };
    const halt = whole.find(({ action }) => action === "rollback");
    return halt && { stop: "halt", cause: `release ${halt.release} was halted: ${halt.reason}` };
  }
}

/** A spec without a snapshot: every canary at 0 % until a shard answers, for halts are not known. */
function fromDocumentAlone(k: Knowledge, parsed: ParsedDocument | undefined): EffectiveFlag[] {
  if (!parsed) return [];
  const none = {
    specHash: "",
    enabled: parsed.enabled ?? true,
    flags: {},
    status: {},
    halts: [],
    faults: [],
  };
  const snapshot: Snapshot = { v: 1, revision: 0, at: 0, ...none };
  const served = new Serving({ ...k, snapshot, pending: parsed, alone: true, isFirst: true });
  return [...parsed.flags.keys()].sort().map((name) => {
    const flag = served.flag(name);
    const { spec } = flag;
    if (flag.stop !== undefined || spec.state !== "canary") return { ...flag, stale: true };
    return servedBare(name, spec, 0, true);
  });
}

function bareLayer(spec: Flag, share: number): Layer {
  const bare: Ruling = {
    share,
    cohorts: [],
    status: undefined,
    halts: [],
    isCohortOff: () => false,
    environment: undefined,
    knowsHalts: false,
  };
  return { ...layerOf({ ...spec, environments: [] }, bare), provisos: undefined };
}
