/**
 * What was counted since the release and since the stage began, to the tick, and in the stage's first minute before it
 * began: what stretches of whole minutes cannot tell.
 */
import { Page, type SavedPage, type Where } from "./page.ts";
import { floorTo, MINUTE_MS } from "./spans.ts";
import type { Tally } from "./tally.ts";

/** The counts in JSON. Times in milliseconds since the epoch. */
export interface SavedCourseCounts {
  release: string;
  releaseAt: number;
  stageAt: number;
  ofRelease: SavedPage;
  ofStage: SavedPage;
  cut: SavedPage;
}

export class CourseCounts {
  readonly release: string;
  /** Milliseconds since the epoch; 0: since ever. */
  readonly releaseAt: number;
  readonly stageAt: number;
  readonly ofRelease: Page;
  readonly ofStage: Page;
  /** Of the minute in which the stage began, what came before. */
  readonly cut: Page;

  constructor(
    { release, releaseAt, stageAt }: Pick<SavedCourseCounts, "release" | "releaseAt" | "stageAt">,
    { ofRelease, ofStage, cut }: { ofRelease: Page; ofStage: Page; cut: Page },
  ) {
    this.release = release;
    this.releaseAt = releaseAt;
    this.stageAt = stageAt;
    this.ofRelease = ofRelease;
    this.ofStage = ofStage;
    this.cut = cut;
  }

  /** Nothing under way: all counts since ever. */
  static none(): CourseCounts {
    const pages = { ofRelease: new Page(), ofStage: new Page(), cut: new Page() };
    return new CourseCounts({ release: "", releaseAt: 0, stageAt: 0 }, pages);
  }

  /** Adds counts of what started at `at`, milliseconds since the epoch. */
  add(where: Where, at: number, tally: Tally): void {
    if (at >= this.releaseAt) this.ofRelease.add(where, tally);
    if (at >= this.stageAt) this.ofStage.add(where, tally);
    else if (at >= floorTo(this.stageAt, MINUTE_MS)) this.cut.add(where, tally);
  }

  /** All counts since `at`, if it is where the stage or the release began. */
  since(at: number): Page | undefined {
    if (at === this.stageAt) return this.ofStage;
    return at === this.releaseAt ? this.ofRelease : undefined;
  }

  save(): SavedCourseCounts {
    return {
      release: this.release,
      releaseAt: this.releaseAt,
      stageAt: this.stageAt,
      ofRelease: this.ofRelease.save(),
      ofStage: this.ofStage.save(),
      cut: this.cut.save(),
    };
  }

  /** Inverse of `save`. */
  static load(saved: SavedCourseCounts): CourseCounts {
    return new CourseCounts(saved, {
      ofRelease: Page.load(saved.ofRelease),
      ofStage: Page.load(saved.ofStage),
      cut: Page.load(saved.cut),
    });
  }
}
