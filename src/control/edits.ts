/** Orders that change the document: one flag of it, all of it, its global switch. Each is adopted, or refused whole. */
import { directionOf } from "../core/flag/direction.ts";
import { type Edited, editFlag, type FlagEdit, setEnabled } from "../core/flag/edit.ts";
import { newFaults } from "../core/flag/new-faults.ts";
import { parseDocument } from "../core/flag/parse.ts";
import { SHARE_PER_PERCENT } from "../core/flag/percentage.ts";
import type { Flag } from "../core/flag/schema.ts";
import { hashText } from "../core/hashing/text.ts";
import type { AuditRecord } from "../core/rollout/audit-chain.ts";
import { isPutByHand } from "../core/rollout/edits.ts";
import type { Fault } from "../core/rollout/snapshot.ts";
import type { Adopting, RecordOf } from "./adopting.ts";
import type { Ordered, WriteDone, WriteRefusal, WriteResult } from "./controller-api.ts";
import type { Decisions } from "./decisions.ts";
import { servedShare } from "./rollout.ts";
import type { Specs } from "./specs.ts";
import { changedFields, writtenFlags } from "./written.ts";

/** A document before there is any: the first flag makes it. */
const EMPTY = '{\n  "flags": {}\n}\n';

/** Until then an isolate cannot tell the text that it has from a newer edit by hand, and the lower of the two counts. */
const LATE =
  "The document before was put by hand: more of green comes as isolates read the new one in KV, within a minute or so";

/** What is to be done, and how it stands in the audit log. */
interface Change {
  text: string;
  order: Ordered;
  /** Flag that it is about; undefined: the document. */
  flag?: string;
  /** Action, and figures besides the usual ones; undefined: an adoption of a whole document. */
  record?: Pick<AuditRecord, "action"> & Partial<AuditRecord>;
  sentence?: string;
  now: number;
  /** In the same transaction, after it. */
  alongside?: () => void;
  remember: (done: WriteDone) => void;
}

export class Edits {
  readonly #decisions: Decisions;
  readonly #adopting: Adopting;
  readonly #specs: Specs;

  constructor(decisions: Decisions, adopting: Adopting, specs: Specs) {
    this.#decisions = decisions;
    this.#adopting = adopting;
    this.#specs = specs;
  }

  /** Edits one flag. Faults that other flags had before are theirs: they stop nobody. */
  flag(change: Omit<Change, "text"> & { flag: string; edit: FlagEdit }): WriteResult {
    const { flag, edit } = change;
    const edited = this.#edited((text) => editFlag(text, flag, edit));
    // What was to be taken away is not there: that is what was wanted.
    if (!edited.ok && edited.reason === "no-override")
      return this.#unchanged({ record: recordOf(edit, true), ...change, sentence: edited.sentence });
    if (!edited.ok) return this.#refused(edited, flag);
    const record = change.record ?? recordOf(edit, this.#specs.has(flag));
    if (!edited.changed) return this.#unchanged({ ...change, record });
    return this.#adopt({ ...change, text: edited.text, record });
  }

  /** Sets the global switch. */
  enabled({ enabled, ...change }: Omit<Change, "text" | "flag"> & { enabled: boolean }): WriteResult {
    const edited = this.#edited((text) => setEnabled(text, enabled));
    if (!edited.ok) return this.#refused(edited, undefined);
    const words = (on: boolean) => (on ? "enabled" : "switched off");
    const [previous, next] = [words(this.#decisions.rollout.enabled), words(enabled)];
    const record = { action: enabled ? "enable" : "disable", previous, next };
    if (!edited.changed) return this.#unchanged({ ...change, record });
    return this.#adopt({ ...change, text: edited.text, record });
  }

  /** Puts a whole document, which has to be without faults; with `keepsFaults` without new ones. */
  document(change: Omit<Change, "flag">, keepsFaults = false): WriteResult {
    const isSame = hashText(change.text) === this.#decisions.rollout.specHash;
    return isSame ? this.#unchanged(change) : this.#adopt(change, keepsFaults);
  }

  /** A refusal for faults. */
  invalid(faults: Fault[], flag: string | undefined): WriteRefusal {
    const sentence = "Nothing was changed. Each fault says where and what was expected";
    return this.refusal("invalid", sentence, flag, faults);
  }

  refusal(
    reason: WriteRefusal["reason"],
    sentence: string,
    flag: string | undefined,
    faults: Fault[] = [],
  ): WriteRefusal {
    const { revision } = this.#decisions.rollout;
    return { ok: false, reason, sentence, revision, etag: this.etag(flag), faults };
  }

  /** Etag of a flag, or of the document where there is no such flag. */
  etag(flag: string | undefined): string {
    return flag !== undefined && this.#specs.has(flag)
      ? this.#specs.etagOf(flag)
      : this.#specs.documentEtag();
  }

  #edited(edit: (text: string) => Edited): Edited | { ok: false; reason: "no-document"; sentence: string } {
    const { store, rollout } = this.#decisions;
    const text = store.text() ?? (rollout.specHash === "" ? EMPTY : undefined);
    if (text !== undefined) return edit(text);
    const sentence =
      "The text of the document is not kept here, it is too long or was lost: change the file and put it whole";
    return { ok: false, reason: "no-document", sentence };
  }

  #refused(
    {
      reason,
      sentence,
    }: { reason: Extract<Edited, { ok: false }>["reason"] | "no-document"; sentence: string },
    flag: string | undefined,
  ): WriteRefusal {
    switch (reason) {
      case "no-document":
      case "unknown-flag":
      case "exists":
        return this.refusal(reason, sentence, flag);
      default:
        return this.refusal("invalid", sentence, flag, [{ path: "", message: sentence, expected: "" }]);
    }
  }

  /** Adopts a text without faults that are new by it; without `keepsFaults` without any. */
  #adopt(change: Change, keepsFaults = true): WriteResult {
    const { text, order, flag, record, now, alongside, remember, sentence } = change;
    const { rollout, store } = this.#decisions;
    const parsed = parseDocument(text);
    const faults = keepsFaults ? newFaults(store.text() ?? EMPTY, parsed, flag) : parsed.faults;
    if (faults.length > 0) return this.invalid(faults, flag);
    const before = flag === undefined ? undefined : rollout.flags.get(flag);
    const written = flag === undefined ? undefined : this.#specs.written()?.get(flag);
    const told: RecordOf | undefined =
      record &&
      (() => ({
        ...record,
        ...(flag !== undefined && this.#ofFlag(flag, before)),
        figures: {
          ...(flag !== undefined && { fields: changedFields(written, writtenFlags(text)?.get(flag)) }),
          ...record.figures,
        },
      }));
    const isByHand = isPutByHand(rollout.edits);
    let done: WriteDone | undefined;
    this.#decisions.durably(
      () => {
        const from = { source: "api", ...order } as const;
        this.#adopting.adopt(text, hashText(text), from, now, { recordOf: told, parsed });
        alongside?.();
      },
      () => {
        const after = flag === undefined ? undefined : rollout.flags.get(flag);
        const isLate = isByHand && before && after && directionOf(before, after).raisesGreen;
        done = this.#done(flag, true, isLate ? [...(sentence ? [sentence] : []), LATE].join(". ") : sentence);
        remember(done);
      },
    );
    return done!;
  }

  /** It was so before. That it was ordered stands in the audit log. */
  #unchanged({ order, flag, record, now, remember, sentence }: Omit<Change, "text">): WriteResult {
    let done: WriteDone | undefined;
    const before = flag === undefined ? undefined : this.#decisions.rollout.flags.get(flag);
    this.#decisions.durably(
      () =>
        this.#adopting.recordUnchanged(
          order,
          {
            ...(record ?? { action: "adopt" }),
            ...(flag !== undefined && this.#ofFlag(flag, before)),
            figures: {
              ...(flag !== undefined ? { fields: [] } : { changed: [], removed: [] }),
              ...record?.figures,
            },
          },
          now,
        ),
      () => {
        done = this.#done(flag, false, sentence ?? "It was so before: nothing has changed");
        remember(done);
      },
    );
    return done!;
  }

  #done(flag: string | undefined, changed: boolean, sentence: string | undefined): WriteDone {
    const { revision } = this.#decisions.rollout;
    const etag = this.etag(flag);
    return { ok: true, revision, etag, changed, replayed: false, sentence: sentence ?? null };
  }

  /** What the audit log says of a flag: its value before and after, and its share of green now. */
  #ofFlag(name: string, before: Flag | undefined): Partial<AuditRecord> {
    const { rollout } = this.#decisions;
    const after = rollout.flags.get(name);
    const both = before !== undefined && after !== undefined && before.release !== after.release;
    return {
      flag: name,
      release: (after ?? before)?.release ?? null,
      previous: before ? inWords(before, both) : null,
      next: after ? inWords(after, both) : null,
      percentage: servedShare(rollout, name) / SHARE_PER_PERCENT,
    };
  }
}

/** `canary 10 %`, and of which release where that is another one than before. */
function inWords({ state, percentage, release }: Flag, withRelease: boolean): string {
  const value = state === "canary" ? `canary ${percentage} %` : state;
  return withRelease ? `${value} of ${release}` : value;
}

/** How an edit is called in the audit log. Whose override it is does not stand there: of a user or of a tenant. */
function recordOf(edit: FlagEdit, exists: boolean): Pick<AuditRecord, "action"> & Partial<AuditRecord> {
  switch (edit.kind) {
    case "delete":
      return { action: "delete" };
    case "override":
      return {
        action: edit.override === null ? "override-removed" : "override",
        figures: {
          of: edit.of === "users" ? "user" : "tenant",
          state: String(edit.override?.state ?? "none"),
        },
      };
    default:
      return { action: exists ? "set" : "create" };
  }
}
