/** The `kill` key: flag names, or `*`, separated by white space. No text in it can fail to parse. */

/** Is the flag named by the kill text? */
export function isKilled(kill: string, flag: string): boolean {
  if (kill === "") return false;
  return kill.split(/\s+/).some((word) => word === "*" || word === flag);
}
