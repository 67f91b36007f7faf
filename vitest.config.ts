import { existsSync } from "node:fs";
import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";
import { receiverSecrets } from "./test/support/receiver-secrets.ts";
import { ADMIN_TOKENS as TEST_TOKENS } from "./test/support/tokens.ts";

/** Tests that need a browser run where there is one; `.ci/run` installs it. */
const browser = existsSync("/usr/bin/chromium");

/** Tests that play rollouts against the clock: one at a time, after all others. */
const ALONE = ["test/e2e/{edits,evidence,halt,rollout}.test.ts", "test/cli/demo.test.ts"];
/** What tests have in common that start a router of their own. */
const OUTSIDE = {
  environment: "node" as const,
  globalSetup: ["test/support/bundle-setup.ts"],
  testTimeout: 60_000,
  hookTimeout: 60_000,
};

export default defineConfig({
  test: {
    // What objects log is worth reading where something failed.
    silent: "passed-only",
    maxWorkers: 2,
    reporters: ["default", "./test/support/summary-reporter.ts"],
    projects: [
      {
        test: {
          name: "core",
          include: ["test/core/**/*.test.ts", "test/house/**/*.test.ts", "test/bench/**/*.test.ts"],
          environment: "node",
        },
      },
      {
        plugins: [
          cloudflareTest(({ inject }) => ({
            wrangler: { configPath: "./wrangler.toml" },
            miniflare: {
              bindings: {
                ADMIN_TOKENS: TEST_TOKENS,
                KV_REFRESH_SECONDS: "1",
                // Secrets of the receivers that test/control/outbox*.test.ts tell.
                ...receiverSecrets(inject("receivers")),
              },
            },
          })),
        ],
        test: {
          name: "workers",
          include: ["test/{router,edge,control,admin}/**/*.test.ts"],
          globalSetup: ["test/support/receivers-setup.ts"],
          // Modules are loaded once for all files: loading them for each took longer than the tests.
          isolate: false,
          setupFiles: ["test/support/clean.ts"],
        },
      },
      {
        test: {
          name: "outside",
          include: ["test/{cli,e2e}/**/*.test.ts", ...(browser ? ["test/browser/**/*.test.ts"] : [])],
          exclude: ALONE,
          ...OUTSIDE,
        },
      },
      {
        test: {
          name: "e2e",
          include: ALONE,
          ...OUTSIDE,
          fileParallelism: false,
        },
      },
    ],
  },
});
