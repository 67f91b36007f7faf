/**
 * What `src/control` uses of a Durable Object's state, over SQLite in memory: so that the controller's own mind runs in
 * plain Node. Rows read are not counted here, nor the rows of indexes; workerd counts both.
 */
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";

type Row = Record<string, SqlStorageValue>;

/** The state of an object, and what a bench wants to know of it. */
export interface PlainState {
  /** For the constructors of `src/control`. */
  state: DurableObjectState;
  database: DatabaseSync;
  /** Rows written since the beginning, those of indexes left aside. */
  rowsWritten(): number;
}

/** An object's state with storage in memory; with a database given, one that goes on from there as after an eviction. */
export function plainState(database = new DatabaseSync(":memory:")): PlainState {
  const prepared = new Map<string, StatementSync>();
  const total = database.prepare("SELECT total_changes() AS n");
  const written = () => Number(total.get()!.n);

  /** Runs at once, as workerd does up to the first row. */
  const exec = (sql: string, ...bindings: unknown[]) => {
    const { rows, rowsWritten } = run(sql, bindings as SQLInputValue[]);
    return {
      toArray: () => rows,
      one: () => {
        if (rows.length !== 1) throw new Error(`expected one row, there are ${rows.length}`);
        return rows[0]!;
      },
      [Symbol.iterator]: () => rows[Symbol.iterator](),
      rowsWritten,
    };
  };

  const run = (sql: string, bindings: SQLInputValue[]): { rows: Row[]; rowsWritten: number } => {
    const reads = /^\s*SELECT\b/i.test(sql);
    // Several statements in one text come without bindings, and none of them answers.
    if (bindings.length === 0 && !reads) {
      const before = written();
      database.exec(sql);
      return { rows: [], rowsWritten: written() - before };
    }
    let statement = prepared.get(sql);
    if (!statement) {
      statement = database.prepare(sql);
      prepared.set(sql, statement);
    }
    if (reads) return { rows: statement.all(...bindings) as Row[], rowsWritten: 0 };
    if (!/\bRETURNING\b/i.test(sql))
      return { rows: [], rowsWritten: Number(statement.run(...bindings).changes) };
    const rows = statement.all(...bindings) as Row[];
    return { rows, rowsWritten: rows.length };
  };

  let depth = 0;
  const transactionSync = <T>(change: () => T): T => {
    const name = `t${depth++}`;
    database.exec(`SAVEPOINT ${name}`);
    try {
      const result = change();
      database.exec(`RELEASE ${name}`);
      return result;
    } catch (error) {
      database.exec(`ROLLBACK TO ${name}; RELEASE ${name}`);
      throw error;
    } finally {
      depth--;
    }
  };

  const state = {
    storage: { sql: { exec }, transactionSync, setAlarm: async () => {}, sync: async () => {} },
    waitUntil: () => {},
    abort: (reason: string) => {
      throw new Error(reason);
    },
  };
  return { state: state as unknown as DurableObjectState, database, rowsWritten: written };
}
