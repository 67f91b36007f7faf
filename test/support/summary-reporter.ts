import type { Reporter, TestModule } from "vitest/node";

/** Prints the one closing line that CI reads: `N passed, N failed`. */
export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    let passed = 0;
    let failed = unhandledErrors.length;
    for (const module of modules) {
      let ran = 0;
      for (const test of module.children.allTests()) {
        ran++;
        if (test.result().state === "passed") passed++;
        else if (test.result().state === "failed") failed++;
      }
      if (ran === 0 && module.state() === "failed") failed++;
    }
    console.log(`\n${passed} passed, ${failed} failed`);
  }
}
