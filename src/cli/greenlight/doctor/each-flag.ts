/** How the doctor looks at flags, one after the other. */
import type { Flag } from "../../../core/flag/schema.ts";
import type { Check, Facts, Finding, Level } from "./facts.ts";

/** One flag of the document, with all else that is known. */
export interface Named {
  name: string;
  flag: Flag;
  facts: Facts;
}

/** Looks at each flag of the document that is in good form. */
export function each(look: (named: Named) => Finding[]): Check["look"] {
  return (facts) =>
    [...(facts.document?.parsed.flags ?? [])].flatMap(([name, flag]) => look({ name, flag, facts }));
}

/** Path of a field. */
export function at(name: string, field: string): string {
  return `flags.${name}.${field}`;
}

/** One finding. */
export function one(level: Level, what: string, where: string, mend: string): Finding[] {
  return [{ level, what, where, mend }];
}
