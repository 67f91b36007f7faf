/** Which role an identity of Cloudflare Access has: `ACCESS_ROLES` read and applied. */
import { isRole, ROLES, type Role } from "./tokens.ts";

/** Whom Access has let in. A person has an e-mail, a service token the client id that Access calls its common name. */
export interface AccessIdentity {
  email: string | undefined;
  commonName: string | undefined;
  groups: readonly string[];
}

/** One entry: `alice@example.com:admin`, `CLIENT-ID.access:operator`, `group:ops:operator`, `*@example.com:viewer`, `*:viewer`. */
export interface Grant {
  to: "one" | "group" | "domain" | "all";
  /** E-mail, client id, group or domain, in lower case; empty for all. */
  who: string;
  role: Role;
}

/** The nearest says it: who is named is not raised or lowered by a group or a domain. */
const NEAREST: readonly Grant["to"][] = ["one", "group", "domain", "all"];

/** Reads `ACCESS_ROLES`. A bad entry is left out; its fault names its place alone, for addresses are of persons. */
export function parseAccessRoles(text: string): { grants: Grant[]; faults: string[] } {
  const grants: Grant[] = [];
  const faults: string[] = [];
  for (const [i, entry] of text
    .split(/[\s,]+/)
    .filter(Boolean)
    .entries()) {
    const at = entry.lastIndexOf(":");
    const role = entry.slice(at + 1);
    const to = at < 1 ? undefined : whomOf(entry.slice(0, at).toLowerCase());
    if (!to) faults.push(`role ${i + 1}: WHO:ROLE was expected, such as *@example.com:viewer`);
    else if (!isRole(role)) faults.push(`role ${i + 1}: one of ${ROLES.join(", ")} was expected last`);
    else grants.push({ ...to, role });
  }
  return { grants, faults };
}

/** The role of an identity; undefined where nothing names it. Of several groups the one with the most. */
export function accessRole(identity: AccessIdentity, grants: readonly Grant[]): Role | undefined {
  for (const nearness of NEAREST) {
    const roles = grants.filter((g) => g.to === nearness && names(g, identity)).map(({ role }) => role);
    if (roles.length > 0) return ROLES.findLast((role) => roles.includes(role));
  }
  return undefined;
}

function whomOf(who: string): Omit<Grant, "role"> | undefined {
  if (who === "*") return { to: "all", who: "" };
  if (who.startsWith("*@")) return /^\*@[^*@]+$/.test(who) ? { to: "domain", who: who.slice(2) } : undefined;
  if (who.startsWith("group:")) return groupOf(who.slice("group:".length));
  return /[*:]/.test(who) ? undefined : { to: "one", who };
}

/** A group; a space in its name is written %20. */
function groupOf(name: string): Omit<Grant, "role"> | undefined {
  try {
    return name === "" ? undefined : { to: "group", who: decodeURIComponent(name).toLowerCase() };
  } catch {
    return undefined;
  }
}

function names({ to, who }: Grant, { email, commonName, groups }: AccessIdentity): boolean {
  const mail = email?.toLowerCase();
  switch (to) {
    case "one":
      return mail === who || commonName?.toLowerCase() === who;
    case "group":
      return groups.some((group) => group.toLowerCase() === who);
    case "domain":
      return mail?.slice(mail.lastIndexOf("@") + 1) === who;
    case "all":
      return true;
  }
}
