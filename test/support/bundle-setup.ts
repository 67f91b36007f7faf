/** Bundles the Worker once for all tests from the outside: wrangler takes seconds for it. */
import type { TestProject } from "vitest/node";
import { type Bundle, makeBundle } from "../../src/cli/bundle.ts";

declare module "vitest" {
  export interface ProvidedContext {
    bundle: Bundle;
  }
}

/** One bundle for all projects, each of which loads this file anew. */
const once = globalThis as { greenlightBundle?: Promise<Bundle> };

export default async function setup(project: TestProject): Promise<void> {
  once.greenlightBundle ??= makeBundle();
  project.provide("bundle", await once.greenlightBundle);
}
