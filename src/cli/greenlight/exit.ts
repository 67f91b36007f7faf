/** Exit codes of `greenlight`: what a script asks about. */

export const EXIT = {
  /** Done, or it is so. */
  done: 0,
  /** It is not so: faults were found, it is unhealthy, it differs. */
  no: 1,
  /** The command itself is wrong, or it would have to ask and cannot. */
  usage: 2,
  /** The router refused: what was ordered cannot be done now (409, 412, 422 and the like). */
  refused: 3,
  /** Not allowed: no token, a wrong one, or too low a role (401, 403). */
  forbidden: 4,
  /** Cannot be reached, or failed itself (5xx). */
  unreachable: 5,
  /** Ended by Ctrl-C. */
  interrupted: 130,
} as const;
export type Exit = (typeof EXIT)[keyof typeof EXIT];

/** What each code means, for the help and docs/cli.md. */
export const EXIT_WORDS: Readonly<Record<Exit, string>> = {
  0: "done; or it is so",
  1: "it is not so: faults were found, it is unhealthy, it differs",
  2: "the command is wrong, or it would have to ask and there is no terminal",
  3: "refused: it cannot be done as things are now (404, 409, 412, 422)",
  4: "not allowed: no token, a wrong one, or too low a role (401, 403)",
  5: "cannot be reached, or failed (5xx)",
  130: "interrupted",
};
