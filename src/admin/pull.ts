/**
 * The scheduled pull: flags whose home is elsewhere (a Supabase table, any JSON endpoint) are brought into the
 * document, by the way of every other write. Whatever goes wrong, what was pulled last stays.
 */
import type { PullState, WriteRefusal } from "../control/controller-api.ts";
import type { DocumentView, PullView } from "../core/api/views.ts";
import { hashText } from "../core/hashing/text.ts";
import { log } from "../edge/log.ts";
import { type AdminController, controllerStub } from "./controller.ts";
import { contentOf } from "./pull-content.ts";
import { pullIntervalMs, pullPlace, pullSettings } from "./pull-settings.ts";
import { askSource } from "./pull-source.ts";

/** A tick of the clock comes some seconds early or late: what is due within half a minute is due, milliseconds. */
const EARLY_MS = 30_000;

/** Times that it is begun anew because somebody else wrote meanwhile. */
const TRIES = 3;

const NEVER: PullState = {
  etag: null,
  hash: null,
  triedAt: 0,
  goodAt: 0,
  changedAt: 0,
  fault: null,
  failingSince: null,
  losses: [],
};

/** How the pull stands; undefined where none is set up. */
export async function pullView(env: Env): Promise<PullView | undefined> {
  if (!env.PULL_URL) return undefined;
  return viewOf(env, (await controllerStub(env).pullState()) ?? NEVER);
}

/** What the clock does each minute: pulls when it is time. */
export async function pullWhenDue(env: Env, now: number): Promise<void> {
  if (!env.PULL_URL) return;
  const { triedAt } = (await controllerStub(env).pullState()) ?? NEVER;
  if (now - triedAt >= pullIntervalMs(env) - EARLY_MS) await pullNow(env);
}

/** Pulls at once, whether it is time or not. Undefined where no pull is set up. */
export async function pullNow(env: Env): Promise<PullView | undefined> {
  if (!env.PULL_URL) return undefined;
  const controller = controllerStub(env);
  const before = (await controller.pullState()) ?? NEVER;
  const triedAt = Date.now();
  const pulled = await pullFrom(env, controller, before);
  const now = Date.now();
  const after: PullState = pulled.ok
    ? { ...before, ...pulled.kept, triedAt, goodAt: now, fault: null, failingSince: null }
    : { ...before, triedAt, fault: pulled.fault, failingSince: before.failingSince ?? now };
  if (pulled.ok && pulled.changed) after.changedAt = now;
  await controller.savePullState(after);
  // The sentence may name what stands in a document, and so people.
  if (!pulled.ok && pulled.fault !== before.fault) log("warn", "pull-failing", { why: pulled.why });
  if (pulled.ok && before.fault !== null) log("info", "pull-good-again");
  return viewOf(env, after);
}

/** What came of a pull. `kept`: what it is known by the next time. */
type Pulled =
  | { ok: true; changed: boolean; kept: Partial<Pick<PullState, "etag" | "hash" | "losses">> }
  | { ok: false; why: "settings" | "source" | "content" | "refused"; fault: string };

async function pullFrom(env: Env, controller: AdminController, before: PullState): Promise<Pulled> {
  const settings = pullSettings(env);
  if ("fault" in settings) return { ok: false, why: "settings", fault: settings.fault };
  const isKnown = before.hash?.startsWith(settings.id) ?? false;
  for (let tried = 1; ; tried++) {
    // Read before the source is asked: a slow answer must not go over what somebody, or a later pull, has written.
    const current = await currentOf(controller);
    if (typeof current === "string") return { ok: false, why: "refused", fault: current };
    const answered = await askSource(settings, isKnown ? before.etag : null);
    if (answered.kind === "fault") return { ok: false, why: "source", fault: answered.fault };
    if (answered.kind === "same") return { ok: true, changed: false, kept: {} };
    const { text: answer, etag } = answered;
    const hash = `${settings.id}:${hashText(answer)}`;
    if (hash === before.hash) return { ok: true, changed: false, kept: { etag } };
    const content = contentOf(answer, settings, current.text);
    if (!content.ok) return { ok: false, why: "content", fault: content.fault };
    const { text, merged, losses } = content;
    const kept = { etag, hash, losses };
    if (text === current.text) return { ok: true, changed: false, kept };
    const written = await controller.putDocument({
      text,
      ifMatch: current.etag,
      keepsFaults: merged,
      who: "pull",
      how: "api",
      reason: `pulled from ${pullPlace(env)}`,
    });
    if (written.ok) return { ok: true, changed: written.changed, kept };
    if (written.reason !== "conflict" || tried >= TRIES)
      return { ok: false, why: "refused", fault: refusalOf(written) };
  }
}

/** A document with its etag; `text` undefined where there is none yet. */
type Current = Pick<DocumentView, "etag"> & { text: string | undefined };

/** The document as it is now; a sentence where it cannot be told. */
async function currentOf(controller: AdminController): Promise<Current | string> {
  const document = await controller.document();
  if (document) return document;
  const { etag, flags } = await controller.specs();
  if (flags.length === 0) return { etag, text: undefined };
  return "the text of the document is not kept, so nothing can be merged into it: put the document again";
}

function refusalOf({ reason, sentence, faults }: WriteRefusal): string {
  if (reason === "conflict") return `others wrote at the same time, ${TRIES} times`;
  const [first] = faults;
  if (!first) return sentence;
  const more = faults.length > 1 ? `, and ${faults.length - 1} more` : "";
  return `refused: ${first.path || "document"}: ${first.message}; expected ${first.expected}${more}`;
}

function viewOf(env: Env, state: PullState): PullView {
  const { etag: _, hash: __, ...told } = state;
  return { url: pullPlace(env) ?? "", format: env.PULL_FORMAT || "auto", ...told };
}
