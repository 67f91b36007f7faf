/** Promises of the house: imports run one way, core is pure, and no library stands in the way of a request. */
import { readdirSync, readFileSync } from "node:fs";
import { join, relative, resolve, sep } from "node:path";
import { expect, test } from "vitest";

const SRC = resolve(import.meta.dirname, "../../src");

/** Folder of src/ → folders that it may import from, besides itself. `docs/architecture.md` says why. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  "index.ts": ["router", "control", "admin", "edge", "core"],
  router: ["edge", "core"],
  control: ["edge", "core"],
  admin: ["control", "edge", "core"],
  cli: ["core"],
  edge: ["core"],
  core: [],
};

/** Folders into which no package is bundled but those named here. Node's and Cloudflare's modules are no packages. */
const PACKAGES: Record<string, readonly string[]> = {
  "index.ts": [],
  router: [],
  control: [],
  edge: [],
  core: ["zod", "@noble/hashes", "jsonc-parser"],
  admin: ["@hono/zod-openapi", "hono", "jose", "ms", "zod"],
};

/** Packages that are for one purpose: files or folders of src/ that may use them, all of them off the request path. */
const USERS: Record<string, readonly string[]> = {
  // Documents and requests to the API are checked.
  zod: ["core/flag/", "admin/"],
  // The chain of the audit log: Web Crypto answers later, a transaction is over by then.
  // Tokens are kept as hashes, and made where there is no Web Crypto to wait for.
  "@noble/hashes": ["core/rollout/audit-chain.ts", "core/auth/tokens.ts"],
  // Routes of the API are checked, and described, by their schemas.
  "@hono/zod-openapi": ["admin/"],
  // Windows of time as people write them.
  ms: ["admin/window.ts", "cli/"],
  // Signatures of Cloudflare Access.
  jose: ["admin/access.ts", "admin/access-keys.ts"],
  // A line or a flag is put into a person's document without touching the rest; a fault is found in its text.
  "jsonc-parser": [
    "core/flag/notes.ts",
    "core/flag/json-text.ts",
    "core/flag/edit.ts",
    "core/flag/places.ts",
    // Files of other systems have comments.
    "cli/greenlight/read-source.ts",
  ],
};

/** What a pure function has no use for: clocks, randomness, timers and I/O. */
const IMPURE =
  /\b(?:Date\.now|new Date\(\)|Math\.random|performance\.now|crypto\.|setTimeout|setInterval|fetch\(|process\.|console\.)/;

const IMPORT =
  /^(?:import|export)\s+(?:[\w$*\s{},]+?\s+from\s+)?["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']\s*\)/gm;

interface Import {
  file: string;
  /** Top folder of src/ that the file is in, or its name. */
  folder: string;
  target: string;
}

const files = readdirSync(SRC, { recursive: true, encoding: "utf8" })
  .filter((name) => /\.tsx?$/.test(name))
  .map((name) => name.split(sep).join("/"));
const textOf = (file: string) => readFileSync(join(SRC, file), "utf8");
const folderOf = (file: string) => file.split("/")[0]!;
const imports: Import[] = files.flatMap((file) =>
  [...textOf(file).matchAll(IMPORT)].map((m) => ({ file, folder: folderOf(file), target: m[1] ?? m[2]! })),
);
const ownFile = ({ file, target }: Import) =>
  relative(SRC, resolve(SRC, file, "..", target))
    .split(sep)
    .join("/");
/** The document bundled at build: data, not code; edge alone reads it. */
const isBundled = (i: Import) => i.folder === "edge" && /^\.\.\/fixtures\/[\w-]+\.json$/.test(ownFile(i));
/** What describes the API is written by a command, from its routes. */
const isDescribing = (i: Import) => i.file === "cli/schema.ts" && ownFile(i) === "admin/openapi.ts";
const isOwn = (i: Import) => i.target.startsWith(".") && !isBundled(i);
const isPlatform = ({ target }: Import) => /^(?:node|cloudflare):/.test(target);
/** Name of the package, with its scope, without a path in it. */
const packageOf = (target: string) =>
  target
    .split("/")
    .slice(0, target.startsWith("@") ? 2 : 1)
    .join("/");
const words = (list: Import[]) => list.map(({ file, target }) => `${file} imports ${target}`);

test("there is something to look at, and every folder has its rule", () => {
  expect(imports.length).toBeGreaterThan(10);
  expect([...new Set(files.map(folderOf))].filter((folder) => !(folder in MAY_IMPORT))).toEqual([]);
});

test("imports run down only", () => {
  const up = imports.filter((i) => {
    if (!isOwn(i) || isDescribing(i)) return false;
    const to = folderOf(ownFile(i));
    return to !== i.folder && !MAY_IMPORT[i.folder]?.includes(to);
  });
  expect(words(up)).toEqual([]);
});

test("imports name files with their extension, for Node runs them as they are", () => {
  expect(words(imports.filter((i) => isOwn(i) && !files.includes(ownFile(i))))).toEqual([]);
});

test("core imports no platform module, and knows no clock, no randomness, no I/O", () => {
  expect(words(imports.filter((i) => i.folder === "core" && isPlatform(i)))).toEqual([]);
  const code = (file: string) => textOf(file).replace(/\/\*[\s\S]*?\*\/|(?<!:)\/\/.*/g, "");
  expect(files.filter((file) => folderOf(file) === "core" && IMPURE.test(code(file)))).toEqual([]);
});

test("the Worker bundles no package but those named, and the request path imports none", () => {
  const foreign = imports.filter((i) => {
    const allowed = PACKAGES[i.folder];
    return (
      allowed !== undefined &&
      !i.target.startsWith(".") &&
      !isPlatform(i) &&
      !allowed.includes(packageOf(i.target))
    );
  });
  expect(words(foreign)).toEqual([]);
});

test.each(Object.entries(USERS))("%s is used where it is for, nowhere else", (name, users) => {
  const elsewhere = imports.filter(
    (i) => packageOf(i.target) === name && !users.some((f) => i.file.startsWith(f)),
  );
  expect(words(elsewhere)).toEqual([]);
});
