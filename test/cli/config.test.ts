import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { quietWrangler, ROOT, WRANGLER } from "../../src/cli/bundle.ts";
import { readSettings, type Settings } from "../../src/cli/settings.ts";

const run = promisify(execFile);

/** What has to be the same wherever the Worker runs. Values of variables may differ, their names may not. */
function contract(settings: Settings): unknown {
  const { compatibility_date, compatibility_flags, kv_namespaces, durable_objects, migrations, vars } =
    settings;
  return {
    compatibility_date,
    compatibility_flags,
    kv: kv_namespaces.map(({ binding }) => binding),
    objects: durable_objects.bindings.map(({ name, class_name }) => ({ name, class_name })),
    migrations,
    vars: Object.keys(vars).sort(),
  };
}

const deployed = await readSettings(join(ROOT, "wrangler.toml"));

test("npm start runs the bindings, objects and compatibility that are deployed", async () => {
  const demo = await readSettings(join(ROOT, "fixtures/demo/wrangler.toml"));
  expect(contract(demo)).toEqual(contract(deployed));
});

const environments = deployed.definedEnvironments;

test.each(environments)(
  "the environment %s has all that the top level has, and its own name",
  async (name) => {
    const settings = await readSettings(join(ROOT, "wrangler.toml"), name);
    expect(contract(settings)).toEqual(contract(deployed));
    expect(settings.vars.ENVIRONMENT).toBe(name);
  },
);

test("variables override flags in previews and here, never where they are not meant to", async () => {
  const all = await Promise.all(environments.map((name) => readSettings(join(ROOT, "wrangler.toml"), name)));
  const on = [deployed, ...all].filter(({ vars }) => vars.ENV_OVERRIDES === "true");
  expect(on.map(({ vars }) => vars.ENVIRONMENT)).toEqual(["preview"]);
  expect(deployed.vars.ENVIRONMENT).toBe("production");
});

test("the demo origins are the services that the demo's router names", async () => {
  const demo = await readSettings(join(ROOT, "fixtures/demo/wrangler.toml"));
  expect(demo.services?.map(({ binding }) => binding)).toEqual(["BLUE", "GREEN"]);
});

test.each([[[]], [["--env", "staging"]]])("wrangler deploy --dry-run passes with %j", async (args) => {
  const out = await mkdtemp(join(tmpdir(), "greenlight-dry-"));
  try {
    const { stdout } = await run(
      process.execPath,
      [WRANGLER, "deploy", "--dry-run", "--outdir", out, ...args],
      {
        cwd: ROOT,
        env: quietWrangler(),
      },
    );
    expect(stdout).toContain("--dry-run: exiting now.");
    expect(stdout).toMatch(/env\.FLAGS/);
    expect(stdout).toMatch(/env\.COUNTERS/);
  } finally {
    await rm(out, { recursive: true, force: true });
  }
});
