/** Two hundred writers of one flag at once, each adding a key of its own to what it has read: none may be lost. */
import type { FlagSpecView } from "../src/core/api/views.ts";
import { type AuditEntry, verifyChain } from "../src/core/rollout/audit-chain.ts";
import { documentOf } from "./document.ts";
import { type Bench, type Figure, isExactly, type Named } from "./figure.ts";
import { startOrigin } from "./origin.ts";
import { ask, startRouter } from "./router.ts";

const WRITERS = { quick: 50, full: 200 };
/** Tries of one writer before it gives up: each round of them has one winner at least. */
const MOST_TRIES = 400;
/** Entries of one page of the audit log. */
const PAGE = 200;
const FLAG = "/flags/shop-0";

/** What became of one writer. */
interface Written {
  refused: number;
  /** Answers that are neither done nor refused for the etag. */
  other: number;
  done: boolean;
}

async function measure(bench: Bench): Promise<Figure[]> {
  // The router is ready once it serves green.
  const origin = await startOrigin("green");
  const running = await startRouter(
    bench,
    documentOf(1, { blue: origin.url, green: origin.url }, { state: "on" }),
  );
  const count = bench.quick ? WRITERS.quick : WRITERS.full;
  try {
    const started = performance.now();
    const written = await Promise.all(Array.from({ length: count }, (_, i) => writer(i)));
    const took = performance.now() - started;
    const flag = await read();
    const kept = Object.keys((flag.written?.metadata as object | undefined) ?? {}).length;
    const entries = (await audit()).reverse();
    const chain = verifyChain(entries);
    const edits = entries.filter(
      ({ who, flag }) => who !== "controller" && who !== "kv" && flag === "shop-0",
    );
    const done = written.filter((one) => one.done).length;
    const refused = written.reduce((sum, one) => sum + one.refused, 0);
    const other = written.reduce((sum, one) => sum + one.other, 0);
    const note = `${(took / 1000).toFixed(1)} s in all; ${refused} writes were refused with 412 and made anew`;
    return [
      isExactly("writers whose change is in the flag", kept, count, note),
      isExactly("writes that were accepted", done, count),
      isExactly("of them in the audit log, whose chain holds", chain.ok ? edits.length : -1, count),
      isExactly("answers that are neither done nor 412", other, 0),
    ];
  } finally {
    await Promise.all([running.stop(), origin.stop()]);
  }

  async function read(): Promise<FlagSpecView> {
    return (await (await ask(running, FLAG)).json()) as FlagSpecView;
  }

  async function writer(i: number): Promise<Written> {
    const written: Written = { refused: 0, other: 0, done: false };
    for (let tries = 0; tries < MOST_TRIES && !written.done; tries++) {
      const { written: flag, etag } = await read();
      const metadata = { ...(flag?.metadata as object | undefined), [`writer${i}`]: tries };
      const answer = await ask(running, FLAG, {
        method: "PUT",
        headers: { "if-match": etag },
        body: { ...flag, metadata },
        any: true,
      });
      await answer.body?.cancel();
      if (answer.status === 412) written.refused++;
      else if (answer.ok) written.done = true;
      else written.other++;
    }
    return written;
  }

  async function audit(): Promise<AuditEntry[]> {
    const entries: AuditEntry[] = [];
    for (let before = ""; ; ) {
      const page = (await (await ask(running, `/audit?limit=${PAGE}${before}`)).json()) as {
        entries: AuditEntry[];
      };
      entries.push(...page.entries);
      if (page.entries.length < PAGE) return entries;
      before = `&before=${page.entries.at(-1)!.id}`;
    }
  }
}

export const writers: Named = {
  name: "writers",
  about: "many writers of one flag at once",
  run: measure,
};
