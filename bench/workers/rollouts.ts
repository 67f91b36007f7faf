/**
 * The Worker as it is, with a controller that is driven through hours of rollouts in one call: forwards of their
 * traffic, and alarms between them, at a clock of the bench's own. Rows that alarms read and write are counted.
 */
import { RolloutController as Controller } from "../../src/control/controller.ts";
import { controllerStub } from "../../src/control/controller-api.ts";
import { encodeForward } from "../../src/core/wire/encode.ts";
import worker from "../../src/index.ts";
import { Traffic } from "../rollout/traffic.ts";

export { CohortCounters } from "../../src/control/counters.ts";
export { Outbox } from "../../src/control/outbox/outbox.ts";

/** Path of the door; only the bench's own bundle has it. */
const DOOR = "/__bench/drive";
/** A moment far from the machine's clock, so that no alarm of the platform rings, milliseconds since the epoch. */
const START = Date.UTC(2035, 0, 1);
/** From a forward to the alarm, and from that to the next forward, milliseconds. */
const HALF_MS = 5_000;
/** Every so many-th round no shard forwards: then the alarm writes down what forwards write down else. */
const QUIET_EVERY = 4;
/** A busy minute of a flag. */
const MINUTE = { requests: 1200, blueFailures: 1, greenFailures: 1, ms: 90 };

export interface Drive {
  /** A document to begin with. */
  text?: string;
  flags: string[];
  release: string;
  /** Share of green, thousandths of a percent. */
  share: number;
  /** 0: only says how many rollouts are under way. */
  rounds: number;
  /** Does the alarm ring in between? */
  alarms: boolean;
}

/** What the alarms of a drive came to, in all. */
export interface Driven {
  /** Rollouts that are still under way. */
  active: number;
  rowsRead: number;
  rowsWritten: number;
}

export class RolloutController extends Controller {
  readonly #traffic = new Traffic("shard-0");
  #now = START;

  async drive({ text, flags, release, share, rounds, alarms }: Drive): Promise<Driven> {
    Date.now = () => this.#now;
    if (text !== undefined) {
      const put = await this.putDocument({ ifMatch: "*", text, who: "bench", how: "cli", reason: "bench" });
      if (!put.ok) throw new Error(JSON.stringify(put));
    }
    const placed = flags.map((flag) => ({ flag, release, share, bands: [] }));
    const cursors = this.#watched();
    const driven: Driven = { active: 0, rowsRead: 0, rowsWritten: 0 };
    for (let round = 0; round < rounds; round++) {
      this.#now += HALF_MS;
      if (round % QUIET_EVERY !== 0) {
        const forward = this.#traffic.step(MINUTE, placed, { end: this.#now, ms: 2 * HALF_MS });
        const { have } = await this.forward(encodeForward(forward));
        if (have !== forward.version) throw new Error(`forwarded ${forward.version}, taken ${have}`);
      }
      this.#now += HALF_MS;
      cursors.length = 0;
      if (alarms) await this.alarm();
      for (const { rowsRead, rowsWritten } of cursors) {
        driven.rowsRead += rowsRead;
        driven.rowsWritten += rowsWritten;
      }
    }
    if (rounds > 0) return driven;
    const views = await Promise.all(flags.map((flag) => this.rollout(flag)));
    return { ...driven, active: views.filter((view) => view?.phase === "progressing").length };
  }

  /** Cursors of what is executed from now on. */
  #watched(): Pick<SqlStorageCursor<never>, "rowsRead" | "rowsWritten">[] {
    const cursors: SqlStorageCursor<never>[] = [];
    const sql = Object.getPrototypeOf(this.ctx.storage.sql) as SqlStorage & { plain?: SqlStorage["exec"] };
    sql.plain ??= sql.exec;
    const { plain } = sql;
    sql.exec = function (this: SqlStorage, ...args: Parameters<SqlStorage["exec"]>) {
      const cursor = plain.apply(this, args);
      cursors.push(cursor as SqlStorageCursor<never>);
      return cursor;
    } as SqlStorage["exec"];
    return cursors;
  }
}

interface Driver {
  drive(drive: Drive): Promise<Driven>;
}

export default {
  async fetch(request, env, ctx) {
    if (new URL(request.url).pathname !== DOOR) return worker.fetch(request, env, ctx);
    const driver = controllerStub(env) as unknown as Driver;
    return Response.json(await driver.drive((await request.json()) as Drive));
  },
} satisfies ExportedHandler<Env>;
