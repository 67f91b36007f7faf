/** Promises of the pages about the API: they say what the Worker does, and leave nothing out. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { API_PAGE, OPENAPI_FILE, openApi, openApiText, withRoutes } from "../../src/admin/openapi.ts";
import { PROBLEM_TYPES, statusOfProblem } from "../../src/edge/problem.ts";

const read = (file: string) => readFileSync(join(import.meta.dirname, "../..", file), "utf8");

test("the OpenAPI document and the table of routes are those of the code: npm run schema writes them", () => {
  expect(read(OPENAPI_FILE)).toBe(openApiText());
  expect(read(API_PAGE)).toBe(withRoutes(read(API_PAGE)));
});

test("every problem is documented with its status", () => {
  const page = read("docs/problems.md");
  const missing = PROBLEM_TYPES.filter(
    (type) => !page.includes(`| \`${type}\` | ${statusOfProblem(type)} |`),
  );
  expect(missing).toEqual([]);
});

test("every operation has a name of its own, a role, and says how it may fail", () => {
  const operations = Object.values(openApi().paths).flatMap((methods) => Object.values(methods));
  const names = operations.map(({ operationId }) => operationId);
  expect(new Set(names).size).toBe(names.length);
  for (const { operationId, summary, "x-role": role, responses } of operations) {
    expect({ operationId, summary }).toEqual({ operationId, summary: expect.stringMatching(/\.$/) });
    expect(["any", "reporter", "viewer", "operator", "admin"]).toContain(role);
    expect(Object.keys(responses)).toEqual(expect.arrayContaining(["400", "401", "403", "429", "503"]));
  }
});

test("every reference within the OpenAPI document leads somewhere", () => {
  const document = openApi() as unknown as { components: { schemas: Record<string, unknown> } };
  const names = [...JSON.stringify(document).matchAll(/"#\/components\/schemas\/([^"]+)"/g)].map(
    (m) => m[1]!,
  );
  expect([...new Set(names)].filter((name) => !(name in document.components.schemas))).toEqual([]);
});
