import { existsSync } from "node:fs";
import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

/** Tests that need a browser run where there is one; `.ci/run` installs it. */
const browser = existsSync("/usr/bin/chromium");

export default defineConfig({
  test: {
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
          cloudflareTest({
            wrangler: { configPath: "./wrangler.toml" },
            miniflare: {
              bindings: { ADMIN_TOKEN: "test-token-0123456789abcdef", KV_REFRESH_SECONDS: "1" },
            },
          }),
        ],
        test: {
          name: "workers",
          include: ["test/{router,edge,control,admin}/**/*.test.ts"],
        },
      },
      {
        test: {
          name: "e2e",
          include: [
            "test/e2e/**/*.test.ts",
            "test/cli/**/*.test.ts",
            ...(browser ? ["test/browser/**/*.test.ts"] : []),
          ],
          environment: "node",
          globalSetup: ["test/support/bundle-setup.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
