/** Promises of directories: the last good form goes on, a missing one leaves nobody, and each is said. */
/// <reference types="@cloudflare/vitest-plugin/types" />
import { reset, runInDurableObject } from "cloudflare:test";
import { beforeEach, expect, test } from "vitest";
import { thorbisDirectory } from "../../fixtures/directories/thorbis.ts";
import written from "../../fixtures/flags/tenants.json" with { type: "json" };
import { Directories } from "../../src/control/directories.ts";
import { parseDocument } from "../../src/core/flag/parse.ts";
import { bindings, controller } from "./parts.ts";

const NAME = "invoices.write";
const flags = parseDocument(JSON.stringify(written)).flags;
const spec = flags.get(NAME)!;
const KEY = "directory:thorbis";

beforeEach(reset);

/** Runs with directories of a store that lasts over calls. */
function using<T>(run: (directories: Directories) => Promise<T> | T): Promise<T> {
  return runInDurableObject(controller(), (_, { storage }) => run(new Directories(bindings.FLAGS, storage)));
}

const good = JSON.stringify(thorbisDirectory());

test("tenants are chosen as soon as the directory has been read, and it is said until then", async () => {
  await bindings.FLAGS.put(KEY, good);
  await using(async (directories) => {
    const before = directories.selectedOf(NAME, spec);
    expect(before).toMatchObject({ selected: { canary_10: [] }, unmet: [] });
    expect(before.faults).toMatchObject([{ message: "directory thorbis: not read yet" }]);
    expect(await directories.read(flags.values())).toBe(true);
    const { selected, faults } = directories.selectedOf(NAME, spec);
    expect([selected!.canary_10!.length, faults]).toEqual([50, []]);
    expect(await directories.read(flags.values())).toBe(false);
  });
});

test("a missing directory leaves nobody, and is said", async () => {
  await using(async (directories) => {
    expect(await directories.read(flags.values())).toBe(true);
    expect(directories.selectedOf(NAME, spec)).toEqual({
      selected: { canary_10: [] },
      unmet: [],
      faults: [
        {
          path: "flags.invoices.write.cohorts.canary_10.select.directory",
          message: "directory thorbis: missing",
          expected: "a directory document",
        },
      ],
    });
  });
});

test("one that breaks or goes keeps its last good form, also over a restart, and is said", async () => {
  await bindings.FLAGS.put(KEY, good);
  const chosen = await using(async (directories) => {
    await directories.read(flags.values());
    return directories.selectedOf(NAME, spec).selected;
  });
  await bindings.FLAGS.put(KEY, '{"tenants":{"acme":{"size":["small"]}}}');
  await using(async (directories) => {
    expect(directories.selectedOf(NAME, spec)).toEqual({ selected: chosen, unmet: [], faults: [] });
    expect(await directories.read(flags.values())).toBe(true);
    const { selected, faults } = directories.selectedOf(NAME, spec);
    expect(selected).toEqual(chosen);
    expect(faults.map((f) => f.message)).toEqual([
      "directory thorbis, tenants.acme.size: a list of 1 is not a string or a boolean or a number (its last good form is in use)",
    ]);
  });
  await bindings.FLAGS.delete(KEY);
  await using(async (directories) => {
    await directories.read(flags.values());
    expect(directories.selectedOf(NAME, spec).selected).toEqual(chosen);
  });
});

test("a directory of many rows comes back as it was, and one that no flag names goes", async () => {
  const tenants = Object.fromEntries(
    Array.from({ length: 9000 }, (_, i) => [`tenant-${i}-\u{1f33f}`, { note: "\u{1f33f}".repeat(20) }]),
  );
  const large = JSON.stringify({ tenants });
  await bindings.FLAGS.put(KEY, large);
  const plain = parseDocument(
    JSON.stringify({
      flags: { a: { state: "canary", cohorts: { c: { select: { directory: "thorbis" } } } } },
    }),
  ).flags;
  const chosen = await using(async (directories) => {
    await directories.read(plain.values());
    return directories.selectedOf("a", plain.get("a")!).selected;
  });
  expect(chosen!.c).toHaveLength(9000);
  await using(async (directories) => {
    expect(directories.selectedOf("a", plain.get("a")!)).toEqual({ selected: chosen, unmet: [], faults: [] });
    await directories.read([]);
  });
  await using((directories) => {
    expect(directories.selectedOf("a", plain.get("a")!).selected).toEqual({ c: [] });
  });
});

test("what cannot be met is said with its cohort", async () => {
  const { tenants } = thorbisDirectory();
  const small = Object.entries(tenants).filter(([, { size }]) => size !== "large");
  await bindings.FLAGS.put(KEY, JSON.stringify({ tenants: Object.fromEntries(small) }));
  await using(async (directories) => {
    await directories.read(flags.values());
    expect(directories.selectedOf(NAME, spec).unmet[0]).toMatch(
      /^cohort canary_10: size large: 0 of \d+ wanted$/,
    );
  });
});
