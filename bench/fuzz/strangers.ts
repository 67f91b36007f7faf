/** Those who may not: without a token, with a wrong or an old one, or with one of too low a role. Nothing may change. */
import type { FuzzAnswer } from "./answers.ts";
import type { Api, Operation } from "./operations.ts";
import type { FuzzRequest, World } from "./requests.ts";
import { samples } from "./run.ts";

/** Somebody who asks for what they may not. */
export interface Stranger {
  /** In words. */
  who: string;
  /** Null: none. */
  token: string | null;
  /** Roles whose routes they may not use. */
  shut: readonly string[];
}

/** All who may not, with what they may not; tokens of each lower role, and one that is over. */
export function strangersWith(tokens: {
  viewer: string;
  reporter: string;
  operator: string;
  expired: string;
}): Stranger[] {
  const all = ["any", "reporter", "viewer", "operator", "admin"];
  return [
    { who: "nobody", token: null, shut: all },
    { who: "one with a wrong token", token: "wrong-token-0123456789abcdef", shut: all },
    { who: "one whose token is over", token: tokens.expired, shut: all },
    { who: "a reporter", token: tokens.reporter, shut: ["viewer", "operator", "admin"] },
    { who: "a viewer", token: tokens.viewer, shut: ["reporter", "operator", "admin"] },
    { who: "an operator", token: tokens.operator, shut: ["admin"] },
  ];
}

/** How those who may not are answered: not known, role too low, too many attempts, or more than is read at all. */
const REFUSED = [401, 403, 429, 413];

export interface Trespass {
  api: Api;
  world: World;
  strangers: readonly Stranger[];
  /** Requests of each operation by each of them. */
  each: number;
  seed: number;
  send: (request: FuzzRequest, token: string | null) => Promise<FuzzAnswer>;
}

/** What they got in by, in words; and how many requests they made. */
export async function trespass({
  strangers,
  send,
  ...of
}: Trespass): Promise<{ requests: number; broken: string[] }> {
  const broken: string[] = [];
  let count = 0;
  for (const [i, { who, token, shut }] of strangers.entries()) {
    const meant = samples({ ...of, seed: of.seed + i }).filter(({ operation }) =>
      shut.includes(operation.role),
    );
    const requests = meant.flatMap(({ of: some }) => some).filter((request) => isShut(of.api, request, shut));
    // At once, for a wrong token is answered late.
    const answers = await Promise.all(requests.map((request) => send(request, token)));
    count += requests.length;
    for (const [k, { status }] of answers.entries()) {
      const { method, path } = requests[k]!;
      if (!REFUSED.includes(status)) broken.push(`${who}: ${method} ${path.slice(0, 200)} → ${status}`);
    }
  }
  return { requests: count, broken };
}

/** A path that was bent may lead elsewhere, or nowhere. */
function isShut(api: Api, request: FuzzRequest, shut: readonly string[]): boolean {
  const operation: Operation | undefined = api.at(request);
  return operation !== undefined && shut.includes(operation.role);
}
