import { performance, nanoseconds } from '../../base/platform.ts';
import { sleepSync } from '../../memory/sleep.ts';
import type { Region } from '../../memory/region.ts';

/** What reading has cost so far (founding specification, `SeqlockReadStats`). */
export interface ReadStats {
  /** Cells read. */
  readonly totalReads: number;
  /** Of these, copied whole at the first attempt. */
  readonly firstTryReads: number;
  /** Of these, copied after the writer had published during an earlier attempt. */
  readonly retriedReads: number;
  /** Of these, given up: the previous value was reported. */
  readonly staleReads: number;
  /** Time spent in snapshots. */
  readonly readNanos: number;
}

/** Reads one cell into `into`; the attempts it took, 0 when it gave up. */
export type ReadCell = (words: Int32Array, doubles: Float64Array, at: number, into: Float64Array) => number;

/** Copies cells whole, and waits where it must. */
export interface CellReading {
  /** False when the writer did not let a copy succeed: keep the previous value. */
  read(readCell: ReadCell, region: Region, at: number, into: Float64Array): boolean;
}

/** A snapshot waits this long in all for cells that are written too fast to be copied; see `patiently`. */
const PATIENCE_MS = 5;
/** ... and at least so many times, since on a busy machine all that time may pass in the first wait. */
const SURE_WAITS = 16;
const LONGEST_WAIT_MS = 1;

/** Reads the cells of snapshots, waits where it must, and keeps account. */
export class CellReader implements CellReading {
  #total = 0;
  #firstTry = 0;
  #stale = 0;
  #nanos = 0n;
  #started = 0n;
  #patience = 0;
  #waits = 0;

  /** Call at the start of a snapshot. */
  begin(): void {
    this.#patience = PATIENCE_MS;
    this.#waits = 0;
    this.resume();
  }

  /** Call where a snapshot goes on that was interrupted by `end`. */
  resume(): void {
    this.#started = nanoseconds();
  }

  /** Call at the end of a snapshot, or of a slice of it. */
  end(): void {
    this.#nanos += nanoseconds() - this.#started;
  }

  /** Reads a cell. False when the writer did not let a copy succeed: keep the previous value. */
  read(readCell: ReadCell, region: Region, at: number, into: Float64Array): boolean {
    this.#total++;
    const attempts = readCell(region.words, region.doubles, at, into);
    if (attempts === 1) {
      this.#firstTry++;
      return true;
    }
    return attempts > 1 || this.#patiently(readCell, region, at, into);
  }

  /**
   * A writer that does nothing but publish to this one cell: steps back for growing times, withTimeout the
   * snapshot's budget.
   */
  #patiently(readCell: ReadCell, region: Region, at: number, into: Float64Array): boolean {
    for (
      let wait = 0.02;
      this.#patience > 0 || this.#waits < SURE_WAITS;
      wait = Math.min(2 * wait, LONGEST_WAIT_MS)
    ) {
      const before = performance.now();
      this.#waits++;
      sleepSync(wait);
      region.refresh(); // a cell may have come to point to memory that was added meanwhile
      const attempts = readCell(region.words, region.doubles, at, into);
      this.#patience -= performance.now() - before;
      if (attempts > 0) return true;
    }
    this.#stale++;
    return false;
  }

  stats(): ReadStats {
    return {
      totalReads: this.#total,
      firstTryReads: this.#firstTry,
      retriedReads: this.#total - this.#firstTry - this.#stale,
      staleReads: this.#stale,
      readNanos: Number(this.#nanos),
    };
  }
}
