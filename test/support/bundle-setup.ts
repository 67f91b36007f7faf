/** Bundles the Worker once for all tests from the outside: wrangler takes seconds for it. */
import type { TestProject } from "vitest/node";
import { type Bundle, makeBundle } from "../../src/cli/bundle.ts";

declare module "vitest" {
  export interface ProvidedContext {
    bundle: Bundle;
  }
}

export default async function setup(project: TestProject): Promise<void> {
  project.provide("bundle", await makeBundle());
}
