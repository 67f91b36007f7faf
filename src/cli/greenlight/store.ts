/** Where flags are read and written by the command line: the API here, KV through wrangler in `kv-store.ts`. */
import type { FlagListView, FlagSpecView, WriteView } from "../../core/api/views.ts";
import type { FlagEdit } from "../../core/flag/edit.ts";
import type { Cli } from "./cli.ts";

/** Why, and who says so. */
export interface Said {
  reason: string;
  by?: string;
}

/** What was written. `sentence` says what a person has to know of it: when it counts, what may win over it. */
export type Written = Pick<WriteView, "revision" | "changed" | "replayed" | "sentence" | "flag">;

/** Reads and writes of flags, whatever the way. Each ends the command where it fails. */
export interface FlagStore {
  /** Of the list no more than this is known by KV alone; `served` is then what the snapshot says. */
  list(): Promise<FlagListView>;
  get(flag: string): Promise<FlagSpecView>;
  edit(flag: string, edit: FlagEdit, said: Said): Promise<Written>;
  /** The global switch of the document. */
  setEnabled(enabled: boolean, said: Said): Promise<Written>;
  /** A cohort's switch, the plain flag `canary.cohort.NAME.enabled`, made where it is not there. */
  setCohort(cohort: string, enabled: boolean, said: Said): Promise<Written>;
  /** Text of the whole document with its etag (undefined by KV alone). */
  document(): Promise<{ text: string; etag: string | undefined }>;
  putDocument(text: string, etag: string | undefined, said: Said): Promise<Written>;
}

/** The flags as the API has them. */
export async function apiStore(cli: Cli): Promise<FlagStore> {
  const api = await cli.api();
  const path = (flag: string) => `/flags/${encodeURIComponent(flag)}`;
  const send = (...[to, ask]: Parameters<typeof api.ask>) =>
    cli.busy(`asking ${api.profile.url}`, () => api.ask<Written>(to, ask));
  return {
    list: () => api.ask<FlagListView>("/flags"),
    get: (flag) => api.ask<FlagSpecView>(path(flag)),
    async edit(flag, edit, said) {
      // Commands are about what is there: they carry no etag.
      const any = { ifMatch: "*", query: { ...said } };
      switch (edit.kind) {
        case "create":
          return await send("/flags", {
            method: "POST",
            body: { name: flag, ...edit.value },
            query: { ...said },
          });
        case "put":
          return await send(path(flag), { method: "PUT", body: edit.value, ...any });
        case "patch":
          return await send(path(flag), {
            method: "PATCH",
            body: edit.value,
            headers: { "content-type": "application/merge-patch+json" },
            ...any,
          });
        case "delete":
          return await send(path(flag), { method: "DELETE", ...any });
        case "override": {
          const whom = edit.of === "users" ? { user: edit.id } : { tenant: edit.id };
          const to = `${path(flag)}/override`;
          // In the body: what is in a path or query stands in the logs of whatever lies between.
          if (edit.override === null) return await send(to, { method: "DELETE", body: { ...whom, ...said } });
          return await send(to, { method: "PUT", body: { ...whom, ...edit.override, ...said } });
        }
      }
    },
    setEnabled: (enabled, said) => send("/enabled", { method: "PUT", body: { enabled, ...said } }),
    setCohort: (cohort, enabled, said) =>
      send(`/cohorts/${encodeURIComponent(cohort)}`, { method: "PUT", body: { enabled, ...said } }),
    async document() {
      const { value, etag } = await api.tell<string>("/document", { asText: true });
      return { text: value, etag: etag ?? undefined };
    },
    putDocument: (text, etag, said) =>
      send("/document", { method: "PUT", body: text, ifMatch: etag ?? "*", query: { ...said } }),
  };
}
