/** Visitors of demo and rehearsals: browsers that keep their cookie and remember which origin answered them. */

/** Requests that are under way at a time. */
const AT_ONCE = 16;

/** What one round of visits came to. */
export interface Round {
  visits: number;
  /** Visitors who came for the first time, so that nobody can say whether they moved. */
  first: number;
  green: number;
  /** Answers of 500 and above that visitors saw. */
  errors: number;
  /** Visitors who were on green before and were not now. */
  left: number;
  /** Visitors whose side is another than before. */
  moved: number;
}

interface Visitor {
  headers: Record<string, string>;
  /** Did green answer last? Undefined before the first answer. */
  green: boolean | undefined;
}

/** Tells by an answer's text that green gave it. */
export type IsGreen = (body: string) => boolean;

/** A crowd of visitors with addresses and browsers of their own. */
export class Crowd {
  readonly #visitors: Visitor[];
  readonly #isGreen: IsGreen;

  constructor(size: number, isGreen: IsGreen = (body) => body === "green") {
    this.#isGreen = isGreen;
    this.#visitors = Array.from({ length: size }, (_, i) => ({
      headers: {
        accept: "text/html",
        "sec-fetch-dest": "document",
        "user-agent": `Demo/1.0 (browser ${i})`,
        "cf-connecting-ip": `198.18.${i >> 8}.${i & 255}`,
      },
      green: undefined,
    }));
  }

  get size(): number {
    return this.#visitors.length;
  }

  /** Every visitor comes once. */
  async visit(url: string): Promise<Round> {
    const round: Round = { visits: 0, first: 0, green: 0, errors: 0, left: 0, moved: 0 };
    const waiting = [...this.#visitors];
    const lane = async () => {
      for (let visitor = waiting.pop(); visitor; visitor = waiting.pop())
        await visitOnce(url, visitor, this.#isGreen, round);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
    return round;
  }
}

async function visitOnce(url: string, visitor: Visitor, isGreen: IsGreen, round: Round): Promise<void> {
  const res = await fetch(url, { headers: visitor.headers });
  const body = await res.text();
  const cookie = res.headers.getSetCookie().find((line) => line.startsWith("gl_visitor="));
  if (cookie) visitor.headers.cookie = cookie.slice(0, cookie.indexOf(";"));
  round.visits++;
  // An error has no side; the visitor's own stays what it was.
  if (res.status >= 500) {
    round.errors++;
    return;
  }
  const before = visitor.green;
  visitor.green = isGreen(body);
  if (before === undefined) round.first++;
  if (visitor.green) round.green++;
  if (before === true && !visitor.green) round.left++;
  if (before !== undefined && before !== visitor.green) round.moved++;
}
