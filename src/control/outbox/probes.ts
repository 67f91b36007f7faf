/** Asks origins and other services what was ordered: health checks, gauges, and lists of requests that green must pass. */
import { numberAt } from "../../core/notify/number-at.ts";
import type { Check, Orders, Pull, Validation } from "../../core/wire/outbox.ts";
import { ask, placeOf, type Question, type Reply, secretOf } from "./ask.ts";
import type { Finding, Observations } from "./observations.ts";
import type { OutboxStore } from "./outbox-store.ts";

/** At once, at most; deliveries have the other four connections of the object. */
const LANES = 2;
const USER_AGENT = "greenlight-health";

/** Something that is asked again and again. */
type Task = { id: string; interval: number } & (
  | { type: "check"; check: Check }
  | { type: "pull"; pull: Pull }
);

/** An answer that is wanted, and whether it came. */
type Judged = { passed: boolean; sentence: string };

export class Probes {
  readonly #store: OutboxStore;
  readonly #observations: Observations;
  readonly #env: () => Env;
  readonly #done: () => void;
  readonly #sql: SqlStorage;
  #tasks = new Map<string, Task>();
  /** When each task is due, milliseconds since the epoch. */
  readonly #due: Map<string, number>;
  readonly #inFlight = new Set<string>();
  /** Key of the list of requests that is being tried. */
  #validating: string | undefined;

  /** `done` is called when a request has ended. */
  constructor(
    storage: DurableObjectStorage,
    store: OutboxStore,
    observations: Observations,
    env: () => Env,
    done: () => void,
  ) {
    this.#store = store;
    this.#observations = observations;
    this.#env = env;
    this.#done = done;
    this.#sql = storage.sql;
    this.#sql.exec(
      "CREATE TABLE IF NOT EXISTS probes (id TEXT PRIMARY KEY, next_at INTEGER NOT NULL) WITHOUT ROWID",
    );
    const rows = this.#sql.exec<{ id: string; next_at: number }>("SELECT id, next_at FROM probes").toArray();
    this.#due = new Map(rows.map(({ id, next_at }) => [id, next_at]));
    if (store.orders) this.#tasks = tasksOf(store.orders);
  }

  get isBusy(): boolean {
    return this.#inFlight.size > 0 || this.#validating !== undefined;
  }

  /** Takes over new orders: what is new is asked at once, what stays keeps its time. */
  order(orders: Orders, now: number): void {
    this.#tasks = tasksOf(orders);
    for (const id of this.#due.keys()) {
      if (this.#tasks.has(id)) continue;
      this.#due.delete(id);
      this.#sql.exec("DELETE FROM probes WHERE id = ?", id);
    }
    for (const { id, interval } of this.#tasks.values()) {
      const due = this.#due.get(id) ?? now;
      const latest = now + interval * 1000;
      if (!this.#due.has(id) || due > latest) this.#setDue(id, Math.min(due, latest));
    }
  }

  /** Starts whatever is due and has room. */
  pump(now: number): void {
    const validation = this.#validating === undefined ? this.#store.nextValidation() : undefined;
    if (validation && this.#room > 0) this.#validate(validation);
    const due = [...this.#tasks.values()]
      .filter(({ id }) => !this.#inFlight.has(id) && (this.#due.get(id) ?? 0) <= now)
      .sort((a, b) => (this.#due.get(a.id) ?? 0) - (this.#due.get(b.id) ?? 0));
    for (const task of due.slice(0, this.#room)) this.#start(task, now);
  }

  /** When something will be due that is not under way, milliseconds since the epoch. What lacks room does not count. */
  nextAt(now: number): number | undefined {
    const times = [...this.#tasks.keys()]
      .filter((id) => !this.#inFlight.has(id))
      .map((id) => this.#due.get(id) ?? 0)
      .filter((at) => at > now || !this.isBusy);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  get #room(): number {
    return LANES - this.#inFlight.size - (this.#validating === undefined ? 0 : 1);
  }

  #setDue(id: string, at: number): void {
    this.#due.set(id, at);
    this.#sql.exec(
      "INSERT INTO probes (id, next_at) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET next_at = excluded.next_at",
      id,
      at,
    );
  }

  #start(task: Task, startedAt: number): void {
    this.#inFlight.add(task.id);
    const finding = task.type === "check" ? this.#check(task.check) : this.#pull(task.pull);
    finding
      .then((found) => {
        // Removed while it was asked: nobody wants to know any more.
        if (!this.#tasks.has(task.id)) return;
        this.#store.atomically(() => {
          this.#observations.add(found);
          this.#setDue(task.id, Math.max(Date.now(), startedAt + task.interval * 1000));
        });
      })
      .catch((error: unknown) => {
        console.error(JSON.stringify({ level: "error", event: "probe-fault", message: String(error) }));
        this.#due.set(task.id, startedAt + task.interval * 1000);
      })
      .finally(() => {
        this.#inFlight.delete(task.id);
        this.#done();
      });
  }

  async #check({ flag, variant, origin, path, timeout, status, match }: Check): Promise<Finding> {
    const judged = await this.#expect(origin, path, { timeout, status, match });
    return { type: "health", at: Date.now(), flag, variant, ...judged };
  }

  async #pull({ flag, gauge, url, path, timeout, authorization }: Pull): Promise<Finding> {
    const failed = (sentence: string): Finding => ({
      type: "gauge-failed",
      at: Date.now(),
      flag,
      gauge,
      sentence,
    });
    const headers: Record<string, string> = { accept: "application/json", "user-agent": USER_AGENT };
    if (authorization !== undefined) {
      const secret = secretOf(this.#env(), authorization);
      if (secret === undefined) return failed(`${authorization} is not set`);
      headers.authorization = secret;
    }
    const reply = await ask({ url, headers, timeoutMs: timeout * 1000, read: true });
    if (!reply.ok) return failed(reply.sentence);
    if (reply.status !== 200) return failed(`answered ${reply.status}, not 200`);
    if (!reply.isWhole) return failed("the answer is longer than 64 kB");
    const value = numberAt(parsed(reply.text), path);
    if (value === undefined) return failed(`no number at ${path}`);
    return { type: "gauge", at: Date.now(), flag, gauge, value };
  }

  #validate(validation: Validation): void {
    const { key, flag } = validation;
    this.#validating = key;
    this.#tryAll(validation)
      .catch((error: unknown): Judged => {
        console.error(JSON.stringify({ level: "error", event: "validation-fault", message: String(error) }));
        return { passed: false, sentence: "the requests could not be made" };
      })
      .then((judged) =>
        this.#store.atomically(() => {
          this.#store.closeValidation(key);
          this.#observations.add({ type: "validated", at: Date.now(), key, flag, ...judged });
        }),
      )
      .catch((error: unknown) => {
        console.error(JSON.stringify({ level: "error", event: "validation-fault", message: String(error) }));
      })
      .finally(() => {
        this.#validating = undefined;
        this.#done();
      });
  }

  /** In order, until one fails. */
  async #tryAll({ origin, expectations }: Validation): Promise<Judged> {
    for (const { path, method, headers, body, timeout, status, match } of expectations) {
      const judged = await this.#expect(origin, path, {
        ...{ timeout, status, match },
        question: { method, headers, body },
      });
      if (!judged.passed) return { passed: false, sentence: `${method} ${path}: ${judged.sentence}` };
    }
    return {
      passed: true,
      sentence: `${expectations.length} of ${expectations.length} requests as expected`,
    };
  }

  async #expect(
    origin: string,
    path: string,
    wanted: Pick<Check, "timeout" | "status" | "match"> & { question?: Partial<Question> },
  ): Promise<Judged> {
    const place = placeOf(this.#env(), origin, path);
    if (!place) return { passed: false, sentence: `the Worker has no binding for ${origin}` };
    const { question, timeout, match } = wanted;
    const headers = { ...question?.headers, "user-agent": USER_AGENT };
    const read = match !== undefined;
    const reply = await ask({ ...question, ...place, headers, timeoutMs: timeout * 1000, read });
    return judge(reply, wanted);
  }
}

/** Judges an answer. What the body says stays with the origin. */
function judge(reply: Reply, { status, match }: Pick<Check, "status" | "match">): Judged {
  if (!reply.ok) return { passed: false, sentence: reply.sentence };
  const wanted = [status].flat();
  if (!wanted.includes(reply.status))
    return { passed: false, sentence: `answered ${reply.status}, not ${wanted.join(" or ")}` };
  if (match !== undefined && !reply.text.includes(match))
    return { passed: false, sentence: `answered ${reply.status} without the text that was asked for` };
  return { passed: true, sentence: `answered ${reply.status}` };
}

function tasksOf({ checks, pulls }: Orders): Map<string, Task> {
  const tasks: Task[] = [
    ...checks.map((check): Task => {
      const id = JSON.stringify(["check", check.flag, check.variant]);
      return { id, interval: check.interval, type: "check", check };
    }),
    ...pulls.map((pull): Task => {
      const id = JSON.stringify(["pull", pull.flag, pull.gauge]);
      return { id, interval: pull.interval, type: "pull", pull };
    }),
  ];
  return new Map(tasks.map((task) => [task.id, task]));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
