import { nanoseconds, performance } from '../../base/platform.ts';
import type { Region } from '../../memory/region.ts';
import { sleepSync } from '../../memory/sleep.ts';

/** What reading shared memory has cost so far (founding specification). */
export interface SeqlockReadStats {
  /** Cells read: each is one series in one thread that recorded to it. */
  readonly totalReads: number;
  /** Of these, copied whole at the first attempt. */
  readonly fastPathReads: number;
  /** Of these, copied after the writer had published during an earlier attempt. */
  readonly retryReads: number;
  /** Of these, given up: the value of the read before was used. */
  readonly staleReads: number;
  /** Nanoseconds spent reading. */
  readonly totalReadNanos: number;
}

/** Reads one cell into `into`; the attempts it took, 0 when it gave up. */
export interface ReadCell {
  (words: Int32Array, doubles: Float64Array, at: number, into: Float64Array): number;
  /** True if it reads memory elsewhere in the slab, beside what was carried. */
  readonly isSpread?: boolean;
}

const FIRST_WAIT_MS = 0.02;
const LONGEST_WAIT_MS = 1;

/** Copies cells whole, waits where it must, and keeps account. */
export abstract class CellReading {
  /** Time spent reading. */
  protected nanos = 0;
  #cells = 0;
  #retried = 0;
  #stale = 0;

  /** Reads a cell. False when the writer did not let a copy succeed: keep the previous value. */
  read(readCell: ReadCell, region: Region, at: number, into: Float64Array): boolean {
    this.#cells++;
    if (region.copy?.isWhole(at) === false) return this.#readAnew(readCell, region, at, into);
    const attempts = readCell(region.words, region.doubles, at, into);
    if (attempts === 1) return true;
    if (attempts === 0 && !this.#readPatiently(readCell, region, at, into)) {
      this.#stale++;
      return false;
    }
    this.#retried++;
    return true;
  }

  /** For a copy of a region, if the writer published while the cell was copied. */
  #readAnew(readCell: ReadCell, region: Region, at: number, into: Float64Array): boolean {
    const { words, doubles, copy } = region;
    const bytes = 8 * (1 + 2 * into.length);
    const read = (): boolean => readCell(words, doubles, at, into) > 0;
    if (copy!.withFresh(at, bytes, readCell.isSpread === true, read)) {
      this.#retried++;
      return true;
    }
    this.#stale++;
    return false;
  }

  /** Counts cells that were copied elsewhere, `retried` of them not at the first attempt. */
  count(cells: number, retried: number): void {
    this.#cells += cells;
    this.#retried += retried;
  }

  /** For a cell whose writer does nothing but publish to it: waits longer each time. */
  #readPatiently(readCell: ReadCell, region: Region, at: number, into: Float64Array): boolean {
    let wait = FIRST_WAIT_MS;
    for (let waits = 0; this.mayWait(waits); waits++) {
      const before = performance.now();
      sleepSync(wait);
      region.refresh(); // a cell may have come to point to memory that was added meanwhile
      const attempts = readCell(region.words, region.doubles, at, into);
      this.waited(performance.now() - before);
      if (attempts > 0) return true;
      wait = Math.min(2 * wait, LONGEST_WAIT_MS);
    }
    return false;
  }

  /** Whether to wait once more for a cell that was waited for `waits` times. */
  protected abstract mayWait(waits: number): boolean;

  /** Notes that a wait took `millis`. */
  protected abstract waited(millis: number): void;

  /** What all reads so far have cost. */
  stats(): SeqlockReadStats {
    return {
      totalReads: this.#cells,
      fastPathReads: this.#cells - this.#retried - this.#stale,
      retryReads: this.#retried,
      staleReads: this.#stale,
      totalReadNanos: Math.round(this.nanos),
    };
  }
}

/** A snapshot waits this long in all for cells that are written too fast to be copied. */
const PATIENCE_MS = 5;
/** It waits at least so many times: on a busy machine all that time may pass in the first wait. */
const SURE_WAITS = 16;

/** Reads the cells of snapshots. */
export class CellReader extends CellReading {
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
    this.nanos += Number(nanoseconds() - this.#started);
  }

  protected override mayWait(): boolean {
    return this.#patience > 0 || this.#waits < SURE_WAITS;
  }

  protected override waited(millis: number): void {
    this.#waits++;
    this.#patience -= millis;
  }
}

/** One of so many calls is timed: the clock takes longer than a read. */
const MEAN_DISTANCE = 256;
/**
 * A call takes no longer, unless it is held up: such time is counted once, and not for the calls around it.
 */
const LONGEST_READ_MS = 0.05;
/** A single value waits so often for each cell: 1.3 ms in all. */
const WAITS_A_CELL = 6;

/**
 * Reads the cells of single values. Between two timed calls, keeping account is two additions and a
 * comparison.
 */
export class SampledCellReader extends CellReading {
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

  /**
   * The call stands for those since the last timed one. Distances vary, so that they do not fall in step with
   * a loop of the caller's.
   */
  #addTime(millis: number): void {
    const read = Math.min(millis, LONGEST_READ_MS);
    this.nanos += (read * this.#distance + (millis - read)) * 1e6;
    this.#distance = 1 + Math.floor(Math.random() * (2 * MEAN_DISTANCE - 1));
    this.#untilTimed = this.#distance;
  }

  protected override mayWait(waits: number): boolean {
    return waits < WAITS_A_CELL;
  }

  protected override waited(millis: number): void {
    this.nanos += millis * 1e6;
  }
}
