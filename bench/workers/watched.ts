/**
 * The Worker as it is, with Durable Objects that count their calls and rows and can be told to lose calls or to die.
 * What a bench sees through this door is the product's own code; nothing of it is replaced.
 */
import { RolloutController as Controller } from "../../src/control/controller.ts";
import { controllerStub } from "../../src/control/controller-api.ts";
import { CohortCounters as Counters } from "../../src/control/counters.ts";
import type { FlushAnswer } from "../../src/core/wire/messages.ts";
import { shardStub } from "../../src/edge/objects.ts";
import worker from "../../src/index.ts";

export { Outbox } from "../../src/control/outbox/outbox.ts";

/** Path of the door; only the bench's own bundle has it. */
const DOOR = "/__bench/door";

/** What the objects have been through, and how calls go wrong on the way. Shares are 0 to 1. */
export interface Door {
  /** Calls of isolates to shards. */
  calls: number;
  /** Rows written by all objects. */
  rows: number;
  /** Share of flushes that are lost before the shard has them. */
  loseBefore: number;
  /** Share of flushes whose answer is lost after the shard has counted. */
  loseAfter: number;
  /** Share of flushes that arrive twice. */
  twice: number;
  /** Flushes that went wrong in one of these ways. */
  spoilt: number;
}

/** One per process: all objects live in one isolate, and outlive none of their own evictions in here. */
const door: Door = { calls: 0, rows: 0, loseBefore: 0, loseAfter: 0, twice: 0, spoilt: 0 };
let watched = false;

/** Counts the rows that any object of this isolate writes. */
function watch(ctx: DurableObjectState): DurableObjectState {
  if (watched) return ctx;
  watched = true;
  const sql = Object.getPrototypeOf(ctx.storage.sql) as SqlStorage;
  const { exec } = sql;
  sql.exec = function (this: SqlStorage, ...args: Parameters<SqlStorage["exec"]>) {
    const cursor = exec.apply(this, args);
    door.rows += cursor.rowsWritten;
    return cursor;
  } as SqlStorage["exec"];
  return ctx;
}

function happens(share: number): boolean {
  if (Math.random() >= share) return false;
  door.spoilt++;
  return true;
}

export class CohortCounters extends Counters {
  constructor(ctx: DurableObjectState, env: Env) {
    super(watch(ctx), env);
  }

  override async flush(batch: unknown): Promise<FlushAnswer> {
    door.calls++;
    if (happens(door.loseBefore)) throw new Error("lost on the way there");
    const answer = await super.flush(batch);
    if (happens(door.twice)) await super.flush(batch);
    if (happens(door.loseAfter)) throw new Error("lost on the way back");
    return answer;
  }

  override async offerEdit(...offer: Parameters<Counters["offerEdit"]>): Promise<FlushAnswer> {
    door.calls++;
    return super.offerEdit(...offer);
  }

  /** Sets what is given and answers with all. */
  async door(change: Partial<Door>): Promise<Door> {
    return Object.assign(door, change);
  }

  /** Dies: memory is gone, storage stays. */
  async evict(): Promise<void> {
    this.ctx.abort("evicted by the bench");
  }
}

export class RolloutController extends Controller {
  constructor(ctx: DurableObjectState, env: Env) {
    super(watch(ctx), env);
  }

  /** Dies: memory is gone, storage stays. */
  async evict(): Promise<void> {
    this.ctx.abort("evicted by the bench");
  }
}

interface Watched {
  door(change: Partial<Door>): Promise<Door>;
  evict(): Promise<void>;
}

async function atTheDoor(request: Request, env: Env): Promise<Response> {
  const wanted = (await request.json()) as Partial<Door> & { evict?: "shard" | "controller" };
  const { evict, ...change } = wanted;
  const shard = shardStub(env, 0) as unknown as Watched;
  const dying = evict === "controller" ? (controllerStub(env) as unknown as Watched) : shard;
  // A call to an object that dies of it fails; that is what was asked for.
  if (evict) await dying.evict().catch(() => undefined);
  return Response.json(evict ? {} : await shard.door(change));
}

export default {
  fetch(request, env, ctx) {
    return new URL(request.url).pathname === DOOR ? atTheDoor(request, env) : worker.fetch(request, env, ctx);
  },
} satisfies ExportedHandler<Env>;
