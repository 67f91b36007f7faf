/** Flags read and written in KV itself, through wrangler, where router or controller are down: `--kv`. */
import type { FlagListView, FlagSpecView } from "../../core/api/views.ts";
import { type Edited, editFlag, setEnabled } from "../../core/flag/edit.ts";
import { parseDocument } from "../../core/flag/parse.ts";
import { cohortSwitch } from "../../core/flag/switches.ts";
import type { Cli } from "./cli.ts";
import { EXIT } from "./exit.ts";
import { stop } from "./failure.ts";
import type { WranglerKv } from "./kv.ts";
import { changeDocument, type KvChange, readDocument, readKey } from "./kv-edits.ts";
import { kvOf } from "./kv-place.ts";
import { listOf } from "./kv-view.ts";
import type { FlagStore, Written } from "./store.ts";

/** The flags as KV has them. Who and why are not kept there: a put by hand has no author. */
export async function kvStore(cli: Cli): Promise<FlagStore> {
  const kv = await kvOf(cli);
  const busy = <T>(work: () => Promise<T>) => cli.busy(`wrangler at ${kv.where}`, work);
  const change = async (edit: (text: string) => Edited, flag?: string): Promise<Written> =>
    writtenOf(await busy(() => changeDocument(kv, edit, flag)));
  return {
    list: () => busy(() => read(kv)),
    get: async (flag) => flagOf(await busy(() => read(kv)), flag, kv),
    edit: (flag, edit) => change((text) => editFlag(text, flag, edit), flag),
    setEnabled: (enabled) => change((text) => setEnabled(text, enabled)),
    setCohort(cohort, enabled) {
      const name = cohortSwitch(cohort);
      return change((text) => switchFlag(text, name, enabled), name);
    },
    document: async () => ({ text: await busy(() => readDocument(kv)), etag: undefined }),
    putDocument: (text) => change((old) => ({ ok: true, text, changed: text !== old })),
  };
}

async function read(kv: WranglerKv): Promise<FlagListView> {
  const [text, kill, snapshot] = await Promise.all([
    readDocument(kv),
    readKey(kv, "kill"),
    readKey(kv, "snapshot"),
  ]);
  return listOf({ text, kill: kill ?? "", snapshot }, Date.now());
}

function flagOf({ flags }: FlagListView, name: string, { where }: WranglerKv): FlagSpecView {
  const found = flags.find((flag) => flag.name === name);
  return found ?? stop({ exit: EXIT.refused, sentence: `The document has no flag ${name}.`, where });
}

/** A plain flag in the state `on` or `off`, made where it is not there. */
function switchFlag(text: string, name: string, enabled: boolean): Edited {
  const state = enabled ? "on" : "off";
  const { flags, broken } = parseDocument(text);
  const isThere = flags.has(name) || broken.has(name);
  // Without the flag the cohort is on: to make it only to say so would change nothing.
  if (!isThere && enabled) return { ok: true, text, changed: false };
  return isThere
    ? editFlag(text, name, { kind: "patch", value: { state } })
    : editFlag(text, name, { kind: "create", value: { kind: "operational", state } });
}

/** Nothing is said of the flag as it is served: that is for the isolates to read first. */
function writtenOf({ changed, sentence }: KvChange): Written {
  return { revision: 0, changed, replayed: false, sentence };
}
