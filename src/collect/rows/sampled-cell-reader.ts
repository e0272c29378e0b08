import { performance } from '../../base/platform.ts';
import { sleepSync } from '../../memory/sleep.ts';
import type { Region } from '../../memory/region.ts';
import type { CellReading, ReadCell } from './cell-reader.ts';

/** What reads of single values have cost so far (founding specification, `SeqlockReadStats`). */
export interface SeqlockReadStats {
  /** Cells read. */
  readonly totalReads: number;
  /** Of these, copied whole at the first attempt. */
  readonly fastPathReads: number;
  /** Of these, copied after the writer had published during an earlier attempt. */
  readonly retryReads: number;
  /** Of these, given up: the value of the read before was given. */
  readonly staleReads: number;
  /** Nanoseconds spent reading, estimated from the calls that were timed. */
  readonly totalReadNanos: number;
}

/** Of so many calls one is timed: the clock takes longer than a read. */
const MEAN_DISTANCE = 256;
/**
 * No call takes longer, unless it waits or its thread is held up; that is counted as it is, and not for other
 * calls too.
 */
const LONGEST_READ_MS = 0.05;

/** A cell that is written too fast to be copied is waited for so often, and 1.3 ms in all. */
const NAPS = 6;
const FIRST_NAP_MS = 0.02;

/**
 * Reads the cells of single values, and keeps account: between two timed calls that is two additions and a
 * comparison.
 */
export class SampledCellReader implements CellReading {
  #cells = 0;
  #retried = 0;
  #stale = 0;
  #nanos = 0;
  #untilTimed = 1;
  #distance = 1;

  /** Call before the cells of a value are read; give the result to `end`. 0 where the call is not timed. */
  begin(): number {
    return --this.#untilTimed > 0 ? 0 : performance.now();
  }

  /** Call when they were read. */
  end(started: number): void {
    if (started !== 0) this.#addTime(performance.now() - started);
  }

  /** Counts cells that were copied elsewhere, `retried` of them not at the first attempt. */
  count(cells: number, retried: number): void {
    this.#cells += cells;
    this.#retried += retried;
  }

  read(readCell: ReadCell, region: Region, at: number, into: Float64Array): boolean {
    this.#cells++;
    const attempts = readCell(region.words, region.doubles, at, into);
    if (attempts === 1) return true;
    if (attempts === 0 && !this.#patiently(readCell, region, at, into)) this.#stale++;
    else {
      this.#retried++;
      return true;
    }
    return false;
  }

  /** A writer that does nothing but publish to this one cell: steps back for growing times. */
  #patiently(readCell: ReadCell, region: Region, at: number, into: Float64Array): boolean {
    const started = performance.now();
    let attempts = 0;
    for (let i = 0; attempts === 0 && i < NAPS; i++) {
      sleepSync(FIRST_NAP_MS * 2 ** i);
      region.refresh(); // see CellReader
      attempts = readCell(region.words, region.doubles, at, into);
    }
    this.#nanos += (performance.now() - started) * 1e6;
    return attempts > 0;
  }

  /**
   * The call stands for those since the last timed one. Distances vary, so that they fall in step with no
   * loop of the caller's.
   */
  #addTime(millis: number): void {
    const read = Math.min(millis, LONGEST_READ_MS);
    this.#nanos += (read * this.#distance + (millis - read)) * 1e6;
    this.#distance = 1 + Math.floor(Math.random() * (2 * MEAN_DISTANCE - 1));
    this.#untilTimed = this.#distance;
  }

  stats(): SeqlockReadStats {
    return {
      totalReads: this.#cells,
      fastPathReads: this.#cells - this.#retried - this.#stale,
      retryReads: this.#retried,
      staleReads: this.#stale,
      totalReadNanos: Math.round(this.#nanos),
    };
  }
}
