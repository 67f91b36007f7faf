/** The ways back: of a flag to a former state or release, of the document to a former revision. */
import type { Flag } from "../core/flag/schema.ts";
import {
  type Former,
  type GreenNow,
  lastDifferent,
  lastWith,
  withoutRaise,
} from "../core/rollout/going-back.ts";
import type { Changes } from "./changes.ts";
import type { GoBack, Ordered, WriteDone, WriteResult } from "./controller-api.ts";
import type { Decisions } from "./decisions.ts";
import type { Edits } from "./edits.ts";
import { isGreenServed, servedShare } from "./rollout.ts";

type Remember = (done: WriteDone) => void;

/** What a flag is set to, and what a person is told of it. */
interface Way {
  flag: string;
  to: Former;
  state: Former["state"];
  percentage: number;
  sentence: string;
}

export class WaysBack {
  readonly #decisions: Decisions;
  readonly #changes: Changes;
  readonly #edits: Edits;

  constructor(decisions: Decisions, changes: Changes, edits: Edits) {
    this.#decisions = decisions;
    this.#changes = changes;
    this.#edits = edits;
  }

  go({ to, ifMatch: _, ...order }: GoBack, now: number, remember: Remember): WriteResult {
    if ("revision" in to) return this.#toRevision(to.revision, order, now, remember);
    const flag = this.#decisions.rollout.flags.get(to.flag);
    if (!flag) return this.#edits.refusal("unknown-flag", `The spec has no flag ${to.flag}`, to.flag);
    return "version" in to
      ? this.#toVersion(to.flag, flag, to.version, order, now, remember)
      : this.#toState(to.flag, flag, order, now, remember);
  }

  /** The whole document of then. It may raise green: a person has named it. */
  #toRevision(revision: number, order: Ordered, now: number, remember: Remember): WriteResult {
    const text = revision > this.#decisions.rollout.revision ? undefined : this.#textAt(revision);
    if (text === undefined)
      return this.#edits.refusal(
        "unknown-revision",
        `The document of revision ${revision} is not kept`,
        undefined,
      );
    const record = { action: "restore", figures: { to: revision } };
    const sentence = `The document is that of revision ${revision} again`;
    // What is broken now may be as broken then: only what would break by it stops it.
    return this.#edits.document({ text, order, record, sentence, now, remember }, true);
  }

  #toVersion(
    name: string,
    flag: Flag,
    version: string,
    order: Ordered,
    now: number,
    remember: Remember,
  ): WriteResult {
    if (flag.release === version) {
      const said = `${name} is at release ${version} already; a rollback without it goes to the last state`;
      return this.#edits.refusal("nothing-earlier", said, name);
    }
    const then = lastWith(this.#decisions.marks.states(name), version);
    if (!then) {
      const known = new Set(this.#decisions.marks.states(name).map(({ release }) => release));
      known.delete(flag.release);
      const others = known.size > 0 ? `known are ${[...known].join(", ")}` : "none other is known";
      return this.#edits.refusal("nothing-earlier", `${name} never had release ${version}; ${others}`, name);
    }
    const { state, percentage, held } = withoutRaise(then, this.#green(name), flag.plan);
    const sentence = held
      ? `${name} is at release ${version} with no more of green than it has now: it had ${inWords(then)} then, and a rollback never raises green`
      : `${name} is as it last was with release ${version}: ${inWords({ state, percentage })}`;
    return this.#restore({ flag: name, to: then, state, percentage, sentence }, flag, order, now, remember);
  }

  /** To the last state with less of green; where there is none, or the document cannot say so, to blue at once. */
  #toState(name: string, flag: Flag, order: Ordered, now: number, remember: Remember): WriteResult {
    const states = this.#decisions.marks.states(name);
    const to = lastDifferent(states, flag.state, this.#green(name), flag.plan);
    if (!to) return this.#toBlue(name, order, now, remember);
    const { state, percentage } = to;
    const sentence = `${name} is back from ${inWords(flag)} to ${inWords(to)} of release ${to.release}`;
    const way = { flag: name, to, state, percentage, sentence };
    const restored = this.#restore(way, flag, order, now, remember);
    return restored.ok ? restored : this.#toBlue(name, order, now, remember);
  }

  #restore(
    { flag: name, to, state, percentage, sentence }: Way,
    flag: Flag,
    order: Ordered,
    now: number,
    remember: Remember,
  ): WriteResult {
    const value = {
      ...(state !== flag.state && { state }),
      ...(percentage !== flag.percentage && { percentage }),
      ...(to.release !== flag.release && { release: to.release }),
    };
    const stays = state === "canary" && flag.plan !== undefined;
    return this.#edits.flag({
      flag: name,
      edit: { kind: "patch", value },
      order,
      record: { action: "rollback", figures: { to: to.revision } },
      sentence: stays ? `${sentence}. Its plan is paused there: resume goes on` : sentence,
      now,
      // A plan would lead it up again by itself, and nobody wants that who has just gone back.
      alongside: () => {
        if (stays) this.#changes.command({ flag: name, command: { name: "pause" }, ...order }, now);
      },
      remember,
    });
  }

  #toBlue(name: string, order: Ordered, now: number, remember: Remember): WriteResult {
    let answer: WriteResult | undefined;
    this.#decisions.durably(
      () => {
        const command = { name: "rollback", mode: "immediate" } as const;
        const result = this.#changes.command({ flag: name, command, ...order }, now);
        if (!result.ok) answer = this.#edits.refusal("nothing-earlier", result.sentence, name);
      },
      () => {
        if (answer) return;
        const sentence = `${name} has no earlier state with less of green that is known: green goes to 0 %, until resume`;
        const { revision } = this.#decisions.rollout;
        const etag = this.#edits.etag(name);
        const done: WriteDone = { ok: true, revision, etag, changed: true, replayed: false, sentence };
        answer = done;
        remember(done);
      },
    );
    return answer!;
  }

  /** Text of the document that counted at a revision: not each of them came with another document. */
  #textAt(revision: number): string | undefined {
    const { revisions } = this.#decisions;
    const then = revisions.read({ limit: 1, before: revision + 1 })[0];
    return then && revisions.text(then.revision);
  }

  #green(name: string): GreenNow {
    const { rollout } = this.#decisions;
    return { share: servedShare(rollout, name), isAny: isGreenServed(rollout, name) };
  }
}

function inWords({ state, percentage }: Pick<Former, "state" | "percentage">): string {
  return state === "canary" ? `canary ${percentage} %` : state;
}
