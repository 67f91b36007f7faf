/** Promises of exports: what came from a system goes back as it was, and what a system cannot say is listed. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { describe, expect, test } from "vitest";
import { pathText } from "../../../src/core/flag/faults.ts";
import { parseDocument } from "../../../src/core/flag/parse.ts";
import { EXPORT_FORMATS, exportTo } from "../../../src/core/import/export.ts";
import { importFrom } from "../../../src/core/import/import.ts";
import type { WrittenDocument } from "../../../src/core/import/imported.ts";
import { FIXTURES, fixture, imported, leavesOf, valueAt, withValue } from "./fixtures.ts";

/** Files whose system can say all of what they came to. */
const COMPLETE = FIXTURES.filter(
  ({ file }) => !/alerts|criteria|deploy-state|office/.test(file) && !file.startsWith("greenlight"),
);

test.each(COMPLETE)("$file comes back as the same document", ({ file, value }) => {
  const first = imported(value);
  const { format } = first;
  if (format === "canary-alerts") throw new Error("alerts are read only");
  const out = exportTo(format, first.document, {});
  const kept = out.losses.filter(({ kind, path }) => kind === "lost" && !file.includes(path));
  const again = imported(out.value, format);
  const expected = kept.reduce<unknown>((document, { path }) => without(document, path), first.document);
  expect(meaning(again.document)).toEqual(meaning(expected));
  expect(kept.map(({ path }) => path)).toEqual(LOST[file] ?? []);
});

/** What a system's own export has no place for, though its import reads it. */
const LOST: Record<string, string[]> = {
  "unleash/export.json": ['flags["checkout.express"].metadata.tags'],
};

/** What a document says, whether written out or left to defaults. */
function meaning(document: unknown): unknown {
  const { flags, faults } = parseDocument(JSON.stringify(document));
  expect(faults).toEqual([]);
  return Object.fromEntries(flags);
}

/** The document without what stands at a place, and without objects that are empty then. */
function without(value: unknown, path: string): unknown {
  const steps = leavesOf(value).find((leaf) => pathText(leaf).startsWith(path)) ?? [];
  const at = steps.findIndex((_, i) => pathText(steps.slice(0, i + 1)) === path);
  const holder = steps.slice(0, at);
  const { [steps[at] as string]: _, ...rest } = valueAt(value, holder) as Record<string, unknown>;
  return withValue(value, holder, rest);
}

test("variables are written so that every shell and Node read the same values", () => {
  const { document } = imported(fixture("orca/production.env"));
  const { text } = exportTo("orca-env", document);
  expect(imported({ ...parseEnv(text) }, "orca-env").document).toEqual(document);
  expect(text).toContain("ENABLE_NEW_TRUST_ALGORITHM=true\n");
  expect(text).toContain("ENABLE_SELF_HEALING=true\n");
  expect(text).toContain("MAX_RETRY_ATTEMPTS=3\n");
});

const FOLDER = join(import.meta.dirname, "../../../fixtures");
const OURS = ["flags/example.json", "flags/tenants.json", "flags/cohorts.json", "plans/canary-plan.json"].map(
  (name) => ({
    name,
    document: JSON.parse(readFileSync(join(FOLDER, name), "utf8")) as WrittenDocument,
  }),
);

describe.each(OURS)("$name", ({ document }) => {
  test.each(EXPORT_FORMATS.filter((format) => format !== "greenlight"))(
    "as %s has every value written, or listed as lost",
    (format) => {
      const whole = exportTo(format, document);
      const silent = leavesOf(document).filter((path) => {
        // For editors, and about no flag.
        if (path[0] === "$schema") return false;
        if (path.some((_, i) => whole.losses.some((loss) => loss.path === pathText(path.slice(0, i + 1)))))
          return false;
        const value = valueAt(document, path);
        const isState = path.at(-1) === "state";
        const other = isState
          ? value === "on"
            ? "off"
            : "on"
          : typeof value === "number"
            ? value + 1
            : typeof value === "boolean"
              ? !value
              : `${String(value)}x`;
        const out = exportTo(format, withValue(document, path, other) as WrittenDocument);
        return JSON.stringify([out.value, out.losses]) === JSON.stringify([whole.value, whole.losses]);
      });
      expect(silent.map(pathText)).toEqual([]);
    },
  );
});

test.each(EXPORT_FORMATS)("%s is told by its shape when it comes back", (format) => {
  const document = {
    flags: { "new-search": { state: "canary", percentage: 10 }, page_size: { state: "on" } },
  };
  const out = exportTo(format, document);
  expect(importFrom("auto", { value: out.value })).toMatchObject({ ok: true, format });
});

test("a share is never rounded up for a system with whole percentages", () => {
  const document = { flags: { search: { state: "canary", percentage: 12.7 } } };
  expect(exportTo("thorbis", document).value).toMatchObject({ feature_flags: [{ canary_percentage: 12 }] });
  expect(exportTo("orca-rows", document).value).toMatchObject([{ rollout_percentage: 12 }]);
  expect(exportTo("unleash", document).value).toMatchObject({
    features: [{ strategies: [{ parameters: { rollout: "12" } }] }],
  });
  expect(exportTo("flagd", document).value).toMatchObject({
    flags: { search: { targeting: { fractional: [{}, ["on", 12_700], ["off", 87_300]] } } },
  });
});

test("members of the document's groups are written out, for other systems have no groups", () => {
  const document = {
    groups: { staff: ["ada", "leads"], leads: ["grace"] },
    flags: { search: { state: "canary", cohorts: { whitelist: { users: ["staff", "linus"] } } } },
  };
  expect(exportTo("orca-rows", document).value).toMatchObject([
    { user_whitelist: ["linus", "ada", "grace"] },
  ]);
});
