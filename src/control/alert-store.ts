/**
 * Which rules have been told, also by an earlier life: those that alert once until they are quiet again, those that
 * found done already what they ask for once until rules begin anew.
 */

/** Begins the key of a rule that found done what it asks for. */
const DONE = "done ";

export class AlertStore {
  readonly #sql: SqlStorage;
  readonly #told = new Map<string, Set<string>>();

  constructor(storage: DurableObjectStorage) {
    this.#sql = storage.sql;
    this.#sql.exec(`
      CREATE TABLE IF NOT EXISTS alerting (flag TEXT NOT NULL, rule TEXT NOT NULL, PRIMARY KEY (flag, rule)) WITHOUT ROWID;
    `);
    for (const { flag, rule } of this.#sql.exec<{ flag: string; rule: string }>(
      "SELECT flag, rule FROM alerting",
    )) {
      this.#of(flag).add(rule);
    }
  }

  /** Of the rules that alert now those that did not at the last look. Rules that do no longer may alert again. */
  fresh(flag: string, rules: readonly string[]): Set<string> {
    const told = this.#of(flag);
    const fresh = new Set(rules.filter((rule) => !told.has(rule)));
    for (const rule of fresh) {
      told.add(rule);
      this.#sql.exec("INSERT INTO alerting (flag, rule) VALUES (?, ?) ON CONFLICT DO NOTHING", flag, rule);
    }
    for (const rule of told) {
      if (rules.includes(rule) || rule.startsWith(DONE)) continue;
      told.delete(rule);
      this.#sql.exec("DELETE FROM alerting WHERE flag = ? AND rule = ?", flag, rule);
    }
    return fresh;
  }

  /** True the first time that a rule finds done what it asks for, until the flag is forgotten. */
  isFirst(flag: string, rule: string): boolean {
    const key = `${DONE}${rule}`;
    const told = this.#of(flag);
    if (told.has(key)) return false;
    told.add(key);
    this.#sql.exec("INSERT INTO alerting (flag, rule) VALUES (?, ?) ON CONFLICT DO NOTHING", flag, key);
    return true;
  }

  /** Forgets a flag, or what was told of its release. */
  forget(flag: string): void {
    this.#told.delete(flag);
    this.#sql.exec("DELETE FROM alerting WHERE flag = ?", flag);
  }

  #of(flag: string): Set<string> {
    let told = this.#told.get(flag);
    if (!told) {
      told = new Set();
      this.#told.set(flag, told);
    }
    return told;
  }
}
