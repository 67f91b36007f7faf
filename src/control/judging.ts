/** Judging many flags: one that cannot be judged must not keep the others, or the counts, from being taken. */
import { type JudgeInput, type Judgement, judge } from "../core/analysis/judge.ts";
import { newMemory } from "../core/analysis/rule-memory.ts";

/**
 * The judgement of one flag; `unmeasured` where judging fails. It should not: but flags outlive the code that read
 * them, and after a deployment is taken back the stored ones may hold rules that this code does not know.
 */
export function judgeSafely(name: string, input: JudgeInput): Judgement {
  try {
    return judge(input);
  } catch (error) {
    console.error(JSON.stringify({ event: "judge-failed", flag: name, message: String(error) }));
    const sentence = "The rules of this flag could not be applied; put its spec again";
    const memory = input.memory ?? newMemory();
    return {
      rule: "none",
      verdict: "unmeasured",
      sentence,
      figures: {},
      findings: [],
      compared: false,
      fired: [],
      memory,
    };
  }
}
