/** The windows of all flags and releases: where the controller keeps what its judgements are made from. */
import { entry } from "../core/analysis/entry.ts";
import { type RowId, rowId, SHADOW_COHORT } from "../core/analysis/tally.ts";
import {
  loadWindow,
  newWindow,
  pruneWindow,
  type SavedWindow,
  takeCell,
  type Window,
} from "../core/analysis/window.ts";
import type { Flag } from "../core/flag/schema.ts";
import type { Cell } from "../core/wire/messages.ts";

/** `flag|release`. */
type Key = string;

export class Evidence {
  readonly #windows = new Map<Key, Window>();
  /** Changed since they were last written down. */
  readonly #dirty = new Set<Key>();

  /** Rebuilds what was written down. */
  load(saved: Iterable<[Key, SavedWindow]>): void {
    for (const [key, window] of saved) this.#windows.set(key, loadWindow(window));
  }

  /** Takes cells as evidence. Returns those that are. */
  take(cells: readonly Cell[], now: number): { id: RowId; cell: Cell }[] {
    const taken: { id: RowId; cell: Cell }[] = [];
    for (const cell of cells) {
      const id = rowId(cell.row);
      if (id.cohort === SHADOW_COHORT) continue;
      const key = keyOf(id.flag, id.release);
      const window = entry(this.#windows, key, newWindow);
      if (!takeCell(window, id, cell, now)) continue;
      taken.push({ id, cell });
      this.#dirty.add(key);
    }
    return taken;
  }

  /** The window of a flag's release. */
  of(flag: string, release: string): Window | undefined {
    return this.#windows.get(keyOf(flag, release));
  }

  /** After a resume only what started after `since` (milliseconds since the epoch) counts. */
  restart(flag: string, release: string, since: number): void {
    const key = keyOf(flag, release);
    this.#windows.set(key, newWindow(since));
    this.#dirty.add(key);
  }

  /** Forgets what can no longer count: old ticks, and empty windows of releases that are not in the spec. */
  prune(flags: ReadonlyMap<string, Flag>, now: number): Key[] {
    const gone: Key[] = [];
    const present = new Set([...flags].map(([name, flag]) => keyOf(name, flag.release)));
    for (const [key, window] of this.#windows) {
      pruneWindow(window, now);
      if (window.ticks.size > 0 || present.has(key)) continue;
      this.#windows.delete(key);
      this.#dirty.delete(key);
      gone.push(key);
    }
    return gone;
  }

  /** The windows to write down: those that changed since the last call. */
  changed(): [Key, Window][] {
    const changed = [...this.#dirty].map((key): [Key, Window] => [key, this.#windows.get(key)!]);
    this.#dirty.clear();
    return changed;
  }
}

function keyOf(flag: string, release: string): Key {
  return `${flag}|${release}`;
}
