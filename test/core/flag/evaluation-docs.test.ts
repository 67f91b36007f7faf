/** Promise of the page on evaluation: its example answers as the page says. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { bucketFrom, evaluateFlag } from "../../../src/core/flag/answer.ts";
import type { DocumentInput } from "../../../src/core/flag/schema.ts";
import { served } from "./served.ts";

const page = readFileSync(join(import.meta.dirname, "../../../docs/evaluation.md"), "utf8");
const [, example] = /```json\n([\s\S]*?)```/.exec(page)!;
const table = served((JSON.parse(example!) as DocumentInput).flags, { environment: "production" });
const rows = [
  ...page.matchAll(/^\| `([\w.-]+)` \| `([\w-]+)` \|(.*)\| ([\d.]+) \| (\w+) \| `(\w+)` \| (.*) \|$/gm),
];

test.each(rows.map((row) => row.slice(1)))(
  "%s for %s of%s with bucket %s is %s",
  (flag, user, tenant, bucket, answer, reason, because) => {
    const of = tenant!.replaceAll(/[ `]/g, "");
    const attributes: Record<string, string[]> = of === "" ? {} : { tenant: [of] };
    const context = { targetingKey: user!, attributes, bucket: bucketFrom(bucket!) };
    const found = evaluateFlag(table, flag!, context, Date.parse("2026-11-30T12:00:00Z"));
    const decided = found.steps.find((step) => step.decided);
    expect([String(found.value), found.reason, decided?.sentence]).toEqual([answer, reason, because]);
  },
);

test("there is something to look at", () => expect(rows.length).toBe(6));
