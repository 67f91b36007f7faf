/** Promises of `greenlight import` and `export` to whoever moves over from another system. */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, expect, test } from "vitest";
import { parseSource } from "../../../src/cli/greenlight/read-source.ts";

const ROOT = resolve(import.meta.dirname, "../../..");
const folder = mkdtempSync(join(tmpdir(), "greenlight-import-"));
afterAll(() => rmSync(folder, { recursive: true }));

interface Ended {
  code: number;
  out: string;
  err: string;
}

function greenlight(...args: string[]): Promise<Ended> {
  return new Promise((done) => {
    execFile(process.execPath, ["bin/greenlight.js", ...args], { cwd: ROOT }, (error, out, err) => {
      done({ code: typeof error?.code === "number" ? error.code : 0, out, err });
    });
  });
}

const file = (name: string) => `fixtures/import/${name}`;

test("files are merged into a document, whose other text stays as a person wrote it", async () => {
  const into = join(folder, "flags.json");
  const mine = '{ "flags": {\n    "mine":   { "state":"on" }\n} }\n';
  writeFileSync(into, mine);
  const dry = await greenlight("import", file("thorbis/feature_flags.json"), "--into", into, "--dry-run");
  expect([dry.code, readFileSync(into, "utf8")]).toEqual([0, mine]);
  const thorbis = ["feature_flags.json", "tenant_flag_overrides.json", "flags.yaml", "success_criteria.yaml"];
  const { code, err } = await greenlight(
    "import",
    ...thorbis.map((name) => file(`thorbis/${name}`)),
    "--into",
    into,
  );
  expect(code).toBe(0);
  expect(err).toContain("lost");
  const text = readFileSync(into, "utf8");
  expect(text).toContain('"mine":   { "state":"on" }');
  const { flags } = JSON.parse(text) as { flags: Record<string, Record<string, unknown>> };
  expect(flags["invoices.write"]).toMatchObject({
    state: "on",
    description: "Enable creation and modification of invoices",
    plan: { stages: [{ percentage: 10 }, { percentage: 100 }] },
    overrides: { tenants: {} },
  });
  const again = await greenlight("validate", into);
  expect(again.code).toBe(0);
});

test("scripts get the document and the losses in one answer, and --strict stops at a loss", async () => {
  const { code, out } = await greenlight("import", file("canary-plan/more-alerts.yaml"), "--json");
  const result = JSON.parse(out) as { formats: string[]; document: object; losses: { kind: string }[] };
  expect([code, result.formats, result.losses.length]).toEqual([0, ["canary-alerts"], 7]);
  const strict = await greenlight("import", file("canary-plan/more-alerts.yaml"), "--strict");
  expect([strict.code, strict.out]).toEqual([1, ""]);
});

test("a document goes out to another system, with what it cannot say on the side", async () => {
  const { code, out, err } = await greenlight("export", "flagd", "--file", "fixtures/flags/cohorts.json");
  expect(code).toBe(0);
  expect(Object.keys(JSON.parse(out) as object)).toEqual(["$schema", "flags"]);
  expect(err).toContain("lost");
});

test.each([
  [
    "planner.json",
    '// planner.json\n{ "planner_pct": 5 }',
    { value: { planner_pct: 5 }, name: "planner.json" },
  ],
  ["-", '{ "planner_pct": 5 }', { value: { planner_pct: 5 } }],
  ["-", "ENABLE_X=true\n", { value: { ENABLE_X: "true" } }],
  [
    "-",
    "flag_name,enabled\nx,t\ny,\n",
    {
      value: [
        { flag_name: "x", enabled: "t" },
        { flag_name: "y", enabled: null },
      ],
    },
  ],
  ["-", "alerts:\n  - expr: a > 1\n", { value: { alerts: [{ expr: "a > 1" }] } }],
  ["flags.yml", "a.b: text", { value: { "a.b": "text" } }],
])("%s with %j is read by its name or by how it begins", async (name, text, source) => {
  expect(await parseSource(text, name)).toMatchObject({ ok: true, source });
});

test.each([
  ["a.json", '{ "a": 1, }', /line 1, column 11/],
  ["a.json", '{ "a": 1, "a": 2 }', /a stands twice/],
  ["a.yaml", "a: [1", /not YAML: line 1/],
  ["a.yaml", `a: &a [x]\nb: &b [${"*a,".repeat(20)}]\nc: [${"*b,".repeat(20)}]`, /not YAML/],
  ["a.csv", 'a,b\n"x', /not CSV/],
])("%s that cannot be read says where: %j", async (name, text, words) => {
  expect(await parseSource(text, name)).toMatchObject({
    ok: false,
    sentence: expect.stringMatching(words) as string,
  });
});

test("the page of other systems names EcoTrips's flag as its payload is read", async () => {
  const [, flag] =
    /greenlight evaluate (\S+) --bucket 0\.27/.exec(
      readFileSync(join(ROOT, "docs/commands-of-others.md"), "utf8"),
    ) ?? [];
  const payload = "fixtures/rehearsal/ecotrips/3-rollout.json";
  const { code, out } = await greenlight("evaluate", flag!, "--bucket", "0.27", "--file", payload);
  expect({ code, first: out.split("\n")[0] }).toEqual({
    code: 0,
    first: "{ enabled: true, threshold: 45, bucket: 0.27 }",
  });
});
