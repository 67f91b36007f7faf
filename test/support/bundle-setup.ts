/** Bundles the Worker once for all tests from the outside: wrangler takes seconds for it. */
import type { TestProject } from "vitest/node";
import { type Bundle, makeBundle, removeBundle } from "../../src/cli/bundle.ts";

declare module "vitest" {
  export interface ProvidedContext {
    bundle: Bundle;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const bundle = await makeBundle();
  project.provide("bundle", bundle);
  return () => removeBundle(bundle);
}
