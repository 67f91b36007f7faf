/** The context of every command of `greenlight`: options that all have, output, the API, questions. */
import type { Command } from "commander";
import type { WriteView } from "../../core/api/views.ts";
import type { Api, Ask } from "./client.ts";
import { EXIT, type Exit } from "./exit.ts";
import { misused, stop } from "./failure.ts";
import { Output } from "./output.ts";
import type { Profile } from "./profile.ts";
import type { FlagStore } from "./store.ts";

/** Options that every command has. */
export interface CommonOptions {
  json: boolean;
  profile?: string;
  url?: string;
  tokenFile?: string;
  by?: string;
  reason?: string;
  yes: boolean;
  quiet: boolean;
  color: boolean;
  /** Seconds of one request. */
  timeout: number;
  /** Through wrangler, past router and controller. */
  kv: boolean;
}

/** Makes one command; each is a module of its own, loaded only when it is called. */
export type CommandFactory = (cli: Cli) => Command;

/** What a command needs. One per process. */
export class Cli {
  readonly #program: Command;
  #out: Output | undefined;
  #api: Api | undefined;
  #profile: Promise<Profile> | undefined;
  #store: Promise<FlagStore> | undefined;
  /** Aborted by Ctrl-C. */
  readonly interrupted: AbortSignal;

  constructor(program: Command, interrupted: AbortSignal) {
    this.#program = program;
    this.interrupted = interrupted;
  }

  /** Options that all commands have, as parsed: to be asked for in an action, not before. */
  get options(): CommonOptions {
    return this.#program.opts<CommonOptions>();
  }

  get out(): Output {
    this.#out ??= new Output(this.options);
    return this.#out;
  }

  /** The router that is meant. */
  profile(): Promise<Profile> {
    this.#profile ??= import("./profile.ts").then(({ chooseProfile }) => chooseProfile(this.options));
    return this.#profile;
  }

  /** Its API. */
  async api(): Promise<Api> {
    const [{ Api }, profile] = await Promise.all([import("./client.ts"), this.profile()]);
    this.#api ??= new Api(profile, this.options.timeout * 1000, this.interrupted);
    return this.#api;
  }

  /** Where flags are read and written: the API, or KV itself with `--kv`. */
  store(): Promise<FlagStore> {
    this.#store ??= this.options.kv
      ? import("./kv-store.ts").then(({ kvStore }) => kvStore(this))
      : import("./store.ts").then(({ apiStore }) => apiStore(this));
    return this.#store;
  }

  /** Refuses `--kv` where only the router can answer. */
  needsRouter(what: string): void {
    if (this.options.kv) misused(`${what} needs the router: it cannot be done with --kv.`);
  }

  /** Why, and who says so: goes into the audit log. The last word of a command goes before `--reason`. */
  said(lastWord?: string): { reason: string; by?: string } {
    const { reason, by } = this.options;
    return { reason: lastWord ?? reason ?? "", ...(by !== undefined && { by }) };
  }

  /** A write by the API, with reason and by in its body. */
  async write<T = WriteView>(
    path: string,
    body: Record<string, unknown>,
    lastWord?: string,
    ask: Ask = {},
  ): Promise<T> {
    const api = await this.api();
    return await this.busy(`asking ${api.profile.url}`, () =>
      api.ask<T>(path, { method: "POST", ...ask, body: { ...body, ...this.said(lastWord) } }),
    );
  }

  /** Asks before something that cannot be taken back lightly. `--yes` answers; without a terminal it refuses. */
  async confirm(question: string): Promise<void> {
    if (this.options.yes) return;
    if (!this.out.interactive)
      misused(`${question} There is no terminal to ask at.`, "Say --yes where it is meant.");
    const { confirm } = await import("@inquirer/prompts");
    const yes = await confirm(
      { message: question, default: false },
      { output: process.stderr, signal: this.interrupted },
    );
    if (!yes) stop({ exit: EXIT.no, sentence: "Nothing was done." });
  }

  /** Shows that it goes on, on a terminal's stderr, from one second on. */
  async busy<T>(what: string, work: () => Promise<T>): Promise<T> {
    if (!this.out.interactive || this.out.quiet || this.out.json) return await work();
    const { spinning } = await import("./spinner.ts");
    return await spinning(what, work);
  }

  /** Sets how the process will end, where it is not `done`. */
  ends(exit: Exit): void {
    process.exitCode = exit;
  }
}
