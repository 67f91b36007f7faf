/** What people order: each command is taken, or refused with what would work. */
import { FULL_SHARE } from "../flag/percentage.ts";
import { audit, type Draft, lift, open, stopOf, tell } from "./draft.ts";
import { begin, complete, enter, settle, takeAll, validate } from "./entering.ts";
import { inWords, missingAtEntry, missingAtExit, rolesAsked } from "./missing.ts";
import type { Command, RolloutEvent } from "./progress.ts";
import { type Refused, refuse, unlessRunning, whileStopped, withoutPlan } from "./refusing.ts";
import { resume } from "./resuming.ts";
import { nameOfStage, nextStage, percentOf, shareOfStage, stageOf } from "./stages.ts";
import { descend, haltAll, pause } from "./stopping.ts";

type Order = Extract<RolloutEvent, { type: "command" }>;

/** Carries out a command, or says why not: then nothing has changed. */
export function onCommand(d: Draft, order: Order): Refused | undefined {
  const { command } = order;
  d.because = said(command.name, order);
  switch (command.name) {
    case "start":
      return start(d, order);
    case "pause":
      return unlessRunning(d.p) ?? run(() => pause(d, { rule: "pause", sentence: d.because }));
    case "resume":
      return resume(d, order.reason);
    case "approve":
      return approve(d, order);
    case "advance":
      return advance(d, order);
    case "promote":
      return promote(d, order, command.force);
    case "instant":
      return instant(d, order);
    case "rollback":
      return rollBack(d, order, command.mode);
    case "restart":
      return restart(d, order);
    case "signOff":
      return signOff(d, order, command.role);
  }
}

/** What was ordered by whom, and why if they said so. */
function said(what: string, { who, reason }: Order): string {
  return `${what} by ${who}${reason === "" ? "" : `: ${reason}`}`;
}

function run(act: () => void): undefined {
  act();
  return undefined;
}

function start(d: Draft, { reason }: Order): Refused | undefined {
  const { p } = d;
  const no = withoutPlan(p);
  if (no) return no;
  if (p.phase !== "idle" && p.phase !== "halted" && p.phase !== "completed")
    return refuse("already-running", `The rollout of ${p.release} is ${p.phase}; restart begins it anew`);
  return beginAnew(d, reason, p.phase === "idle" ? "asked" : "first");
}

function restart(d: Draft, { reason }: Order): Refused | undefined {
  const { p } = d;
  if (p.state !== "canary" || p.plan) return withoutPlan(p) ?? beginAnew(d, reason, "first");
  if (stopOf(p)?.action === "kill") return whileStopped(p);
  lift(d);
  audit(d, "restart", reason);
  p.share = p.asked;
  p.waiting = undefined;
  p.startedAt = d.now;
  if (p.share > 0) open(d);
  settle(d, reason);
  return undefined;
}

function beginAnew(d: Draft, reason: string, from: "asked" | "first"): Refused | undefined {
  const { p } = d;
  if (stopOf(p)?.action === "kill") return whileStopped(p);
  lift(d);
  audit(d, from === "asked" ? "start" : "restart", reason);
  begin(d, from);
  return undefined;
}

function approve(d: Draft, { who, reason, look }: Order): Refused | undefined {
  const { p } = d;
  const no = withoutPlan(p) ?? whileStopped(p);
  if (no) return no;
  if (p.phase !== "awaitingApproval")
    return refuse(
      "not-awaiting-approval",
      `Nothing waits for an approval; the rollout is ${p.phase} in ${nameOfStage(p.plan!, p.stage)}`,
    );
  const missing = look ? missingAtExit(p, look) : [];
  if (missing.length > 0)
    return refuse("gates-not-passed", `Cannot be approved now: ${inWords(missing)}; advance skips the gates`);
  p.phase = "progressing";
  p.approvedBy = who;
  p.why = undefined;
  audit(d, "approve", reason, { stage: p.stage + 1 });
  return undefined;
}

function advance(d: Draft, { reason, look }: Order): Refused | undefined {
  const { p } = d;
  const no = withoutPlan(p) ?? unlessRunning(p);
  if (no) return no;
  const next = nextStage(p);
  if (next === undefined)
    return refuse(
      "no-next-stage",
      `${nameOfStage(p.plan!, p.stage)} is the last; promote with force ends it`,
    );
  const missing = missingAtEntry(p, next, look?.entry ?? []);
  const name = nameOfStage(p.plan!, next);
  if (missing.length > 0)
    return refuse(
      "gates-not-passed",
      `${name} does not open yet: ${inWords(missing)}; promote with force skips that`,
    );
  audit(d, "advance", reason, { to: next + 1 });
  const requests = p.plan!.stages[next]!.validate.length;
  if (requests === 0 || p.validation === "passed") {
    enter(d, next);
    return undefined;
  }
  p.phase = "progressing";
  p.why = undefined;
  p.ordered = true;
  if (p.validation !== "waiting") validate(d, next);
  return undefined;
}

function promote(d: Draft, { reason, look }: Order, force: boolean): Refused | undefined {
  const { p } = d;
  const no =
    withoutPlan(p) ?? whileStopped(p) ?? (force && p.phase === "paused" ? undefined : unlessRunning(p));
  if (no) return no;
  const plan = p.plan!;
  const last = plan.stages.length - 1;
  if (p.stage === last && !p.byHand && !force)
    return refuse("no-next-stage", `${nameOfStage(plan, last)} is the last; its gates end the rollout`);
  if (force) {
    lift(d);
    audit(d, "promote", reason, { forced: 1, from: p.share / 1000 });
    // At the end already, so its gates are what is skipped.
    if (p.stage === last && !p.byHand && p.phase !== "paused") {
      complete(d, d.because);
      return undefined;
    }
    enter(d, last);
    p.share = FULL_SHARE;
    p.byHand = shareOfStage(plan, last) !== FULL_SHARE;
    return undefined;
  }
  const stage = stageOf(p);
  const missing = look
    ? missingAtExit(p, look).filter((m) => m.kind !== "time")
    : [{ kind: "few" as const, sentence: "the gates have not been looked at" }];
  if (stage?.approval === "manual" && p.approvedBy === undefined)
    missing.push({ kind: "word", sentence: `${nameOfStage(plan, p.stage)} needs an approval` });
  plan.stages.slice(nextStage(p) ?? last + 1).forEach((s) => {
    if (s.entry.length + s.exit.length + s.validate.length > 0 || s.approval === "manual")
      missing.push({
        kind: "gate",
        sentence: `${nameOfStage(plan, plan.stages.indexOf(s))} has gates that are not known yet`,
      });
  });
  if (missing.length > 0)
    return refuse(
      "gates-not-passed",
      `Cannot go to the end: ${inWords(missing)}; promote with force skips all gates`,
    );
  audit(d, "promote", reason, { forced: 0, from: p.share / 1000 });
  enter(d, last);
  return undefined;
}

function instant(d: Draft, { reason }: Order): Refused | undefined {
  const { p } = d;
  if (p.state !== "canary")
    return refuse("not-in-canary", `The flag's state is ${p.state}; instant needs the state canary`);
  if (stopOf(p)?.action === "kill") return whileStopped(p);
  if (p.phase === "completed" && p.share === FULL_SHARE)
    return refuse("not-running", `${p.release} is complete at 100 % already`);
  lift(d);
  takeAll(d, FULL_SHARE);
  open(d);
  audit(d, "instant", reason, { from: d.before.share / 1000 });
  complete(d, d.because);
  return undefined;
}

function rollBack(
  d: Draft,
  order: Order,
  mode: Extract<Command, { name: "rollback" }>["mode"],
): Refused | undefined {
  const { p } = d;
  const sentence = said(mode === "kill" ? "kill" : `${mode} rollback`, order);
  const stop = stopOf(p);
  if (stop?.action === "kill" || (stop && mode !== "kill"))
    return refuse("already-rolled-back", `Green of ${p.release} is out of traffic already: ${stop.why}`);
  if (mode === "kill") {
    haltAll(d, { rule: "kill", sentence }, "killed");
    return undefined;
  }
  if (p.state !== "canary" && p.state !== "on")
    return refuse("not-in-canary", `The flag's state is ${p.state}: nobody is on green`);
  if (p.phase === "rollingBack" && (mode === "gradual" || p.descent?.kind === "guarded"))
    return refuse(
      "already-rolled-back",
      `Green is going down already, at ${percentOf(p.share)}; kill is at once, resume stops it`,
    );
  if (p.share > 0 && mode === "gradual") descend(d, "gradual", order.who, sentence);
  else if (p.share > 0 && p.blueCapacity && mode === "immediate") descend(d, "guarded", order.who, sentence);
  else haltAll(d, { rule: "rollback", sentence }, "rolledBack");
  return undefined;
}

function signOff(d: Draft, { who, reason }: Order, role: string): Refused | undefined {
  const { p } = d;
  const no = withoutPlan(p) ?? whileStopped(p) ?? (p.phase === "paused" ? undefined : unlessRunning(p));
  if (no) return no;
  const roles = rolesAsked(p);
  if (!roles.includes(role)) {
    const asked = roles.length > 0 ? `it asks for ${roles.join(", ")}` : "it asks for nobody's word";
    return refuse("no-such-role", `${nameOfStage(p.plan!, p.stage)} does not ask for ${role}; ${asked}`);
  }
  const others = p.signOffs.filter((s) => s.role !== role);
  p.signOffs = [...others, { role, who, at: d.now }];
  audit(d, "sign-off", reason, { role });
  const left = roles.filter((r) => !p.signOffs.some((s) => s.role === r));
  tell(
    d,
    "approval",
    `${role} has signed off; ${left.length > 0 ? `${left.join(", ")} left` : "none is left"}`,
  );
  return undefined;
}
