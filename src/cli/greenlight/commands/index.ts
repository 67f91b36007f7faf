/** All commands, in the groups of the help. Each is a module of its own, loaded when it is called. */
import type { CommandFactory } from "../cli.ts";

type Load = () => Promise<CommandFactory>;

/** Groups of the help, in its order; commands in theirs. */
export const GROUPS: Readonly<Record<string, Readonly<Record<string, Load>>>> = {
  Emergency: {
    kill: () => import("./kill.ts").then((m) => m.killCommand),
    unkill: () => import("./kill.ts").then((m) => m.unkillCommand),
    rollback: () => import("./rollback.ts").then((m) => m.rollbackCommand),
    pause: () => import("./rollout.ts").then((m) => m.pauseCommand),
    resume: () => import("./rollout.ts").then((m) => m.resumeCommand),
    enable: () => import("./switch.ts").then((m) => m.enableCommand),
    disable: () => import("./switch.ts").then((m) => m.disableCommand),
  },
  Flags: {
    list: () => import("./list.ts").then((m) => m.listCommand),
    get: () => import("./get.ts").then((m) => m.getCommand),
    set: () => import("./set.ts").then((m) => m.setCommand),
    create: () => import("./create.ts").then((m) => m.createCommand),
    delete: () => import("./delete.ts").then((m) => m.deleteCommand),
    override: () => import("./override.ts").then((m) => m.overrideCommand),
    cohort: () => import("./cohort.ts").then((m) => m.cohortCommand),
  },
  Rollouts: {
    "canary-status": () => import("./canary-status.ts").then((m) => m.canaryStatusCommand),
    start: () => import("./rollout.ts").then((m) => m.startCommand),
    approve: () => import("./rollout.ts").then((m) => m.approveCommand),
    "sign-off": () => import("./rollout.ts").then((m) => m.signOffCommand),
    advance: () => import("./rollout.ts").then((m) => m.advanceCommand),
    promote: () => import("./rollout.ts").then((m) => m.promoteCommand),
    instant: () => import("./rollout.ts").then((m) => m.instantCommand),
    restart: () => import("./rollout.ts").then((m) => m.restartCommand),
    smoke: () => import("./smoke.ts").then((m) => m.smokeCommand),
  },
  "What is going on": {
    status: () => import("./status.ts").then((m) => m.statusCommand),
    health: () => import("./health.ts").then((m) => m.healthCommand),
    metrics: () => import("./metrics.ts").then((m) => m.metricsCommand),
    usage: () => import("./metrics.ts").then((m) => m.usageCommand),
    watch: () => import("./watch.ts").then((m) => m.watchCommand),
    history: () => import("./history.ts").then((m) => m.historyCommand),
    revisions: () => import("./revisions.ts").then((m) => m.revisionsCommand),
    audit: () => import("./audit.ts").then((m) => m.auditCommand),
  },
  Documents: {
    validate: () => import("./validate.ts").then((m) => m.validateCommand),
    diff: () => import("./diff.ts").then((m) => m.diffCommand),
    apply: () => import("./apply.ts").then((m) => m.applyCommand),
    import: () => import("./import.ts").then((m) => m.importCommand),
    export: () => import("./export.ts").then((m) => m.exportCommand),
    evaluate: () => import("./evaluate.ts").then((m) => m.evaluateCommand),
    rehearse: () => import("./rehearse.ts").then((m) => m.rehearseCommand),
    doctor: () => import("./doctor.ts").then((m) => m.doctorCommand),
  },
  "Way in": {
    login: () => import("./login.ts").then((m) => m.loginCommand),
    logout: () => import("./login.ts").then((m) => m.logoutCommand),
    profiles: () => import("./login.ts").then((m) => m.profilesCommand),
    whoami: () => import("./login.ts").then((m) => m.whoamiCommand),
    token: () => import("./token.ts").then((m) => m.tokenCommand),
    completion: () => import("./completion.ts").then((m) => m.completionCommand),
  },
};

/** Commands that are asked by programs alone; the help is silent about them. */
const HIDDEN: Readonly<Record<string, Load>> = {
  complete: () => import("./completion.ts").then((m) => m.completeCommand),
};

/** Every command by its name. */
export const COMMANDS: Readonly<Record<string, Load>> = Object.assign(
  {},
  ...Object.values(GROUPS),
  HIDDEN,
) as Record<string, Load>;
