/** How much the controller keeps of one rollout: bytes of its rows, by what they are for. */
import type { PlainController } from "./plain.ts";

/** Tables by what they are for, each with the column that names the flag, or begins with its name and a bar. */
const KEPT: Record<string, Record<string, string>> = {
  "where it is (spec, progress, gates)": { flags: "name", progress: "name", gates: "name" },
  "evidence (last minute, comparison, what is counted of the stage)": {
    windows: "key",
    sums: "grp",
    comparisons: "flag",
    telemetry: "flag",
  },
  "counts by minute and hour, blue's last hours": { series: "flag", blue_history: "flag" },
  "audit log and history": { audit_log: "flag", history: "flag" },
};

/** Bytes of a flag's rows, by what they are for; keys left aside. */
export function bytesOf({ store }: PlainController, flag: string): Record<string, number> {
  const { database } = store;
  const sizeOf = (table: string, column: string): number => {
    const columns = database
      .prepare(`SELECT name FROM pragma_table_info('${table}') WHERE type = 'TEXT'`)
      .all();
    const sum = columns.map(({ name }) => `coalesce(length(CAST(${name} AS BLOB)), 0)`).join(" + ");
    const where = `${column} = ? OR substr(${column}, 1, ?) = ?`;
    const row = database
      .prepare(`SELECT coalesce(sum(${sum}), 0) AS bytes FROM ${table} WHERE ${where}`)
      .get(flag, flag.length + 1, `${flag}|`);
    return Number(row!.bytes);
  };
  return Object.fromEntries(
    Object.entries(KEPT).map(([what, tables]) => [
      what,
      Object.entries(tables).reduce((bytes, [table, column]) => bytes + sizeOf(table, column), 0),
    ]),
  );
}
