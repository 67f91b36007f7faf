/** The `kill` key: flag names, or `*`, separated by white space. No text in it can fail to parse. */

/** Names every flag, also those that come later. */
export const EVERY_FLAG = "*";

/** Is the flag named by the kill text? */
export function isKilled(kill: string, flag: string): boolean {
  if (kill === "") return false;
  return kill.split(/\s+/).some((word) => word === EVERY_FLAG || word === flag);
}

/** What the kill text names, each once, in its order. */
export function killedNames(kill: string): string[] {
  return [...new Set(kill.split(/\s+/).filter(Boolean))];
}

/** The kill text with one more name; the same text where it names it already. All other names stay. */
export function withKilled(kill: string, name: string): string {
  const names = killedNames(kill);
  return names.includes(name) ? kill : [...names, name].join(" ");
}

/** The kill text without a name; the same text where it does not name it. A `*` stays unless it is the name. */
export function withoutKilled(kill: string, name: string): string {
  const names = killedNames(kill);
  return names.includes(name) ? names.filter((other) => other !== name).join(" ") : kill;
}
