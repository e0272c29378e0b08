/**
 * Wake-ups between processes. Shared memory cannot wake a thread of another process, since a waiting thread
 * sleeps in a kernel queue of its own process.
 *
 *   rings: wake(a word of the header)   --- writes a byte to --->   fs.watch: wakes who waits in this process
 *                                           the file `bell`         every 500 ms: looks at the words itself
 *
 * One thread of each process watches the file: the one that mapped it. It wakes the other threads. If it
 * hangs, or the system has no watches left, they notice by their own regular look. Nobody rings for words of
 * slabs: who waits for one looks every 10 ms.
 */
import { closeSync, constants, openSync, watch, writeSync } from 'node:fs';
import { join } from 'node:path';
import { OBSERVE_INDEX, PULSE_INDEX, SLAB_TABLE_OFFSET } from './layout.ts';
import { ThreadSignal, type Signal } from './signal.ts';

export const BELL_FILE = 'bell';
/** How often a thread looks without being woken. */
export const LOOK_MILLIS = 500;
const STEP_MILLIS = 10;
const SLABS_INDEX = SLAB_TABLE_OFFSET / 4;
const RUNG: readonly number[] = [OBSERVE_INDEX, PULSE_INDEX];
const FLAGS: number = constants.O_WRONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const BYTE = new Uint8Array(1);

export class BellSignal implements Signal {
  readonly #here: ThreadSignal;
  readonly #path: string;

  /** `words` must start at the region's start. */
  constructor(words: Int32Array, directory: string) {
    this.#here = new ThreadSignal(words);
    this.#path = join(directory, BELL_FILE);
  }

  wake(index: number): void {
    this.#here.wake(index);
    if (index >= SLABS_INDEX) return;
    try {
      const fd = openSync(this.#path, FLAGS);
      try {
        writeSync(fd, BYTE, 0, 1, 0);
      } finally {
        closeSync(fd);
      }
    } catch {
      // The file is full or was removed: the other processes look by themselves.
    }
  }

  wait(index: number, seen: number, millis: number = Infinity): Promise<unknown> | undefined {
    return this.#here.wait(index, seen, index < SLABS_INDEX ? millis : Math.min(millis, STEP_MILLIS));
  }

  /**
   * Wakes all waiters of this process. It does not say which ring there was: each waiter looks at its word.
   */
  wakeHere(): void {
    for (const index of RUNG) this.#here.wake(index);
  }

  /**
   * From now on wakes the threads of this process when another process rings. One thread of a process calls
   * this. Does not keep the process alive.
   */
  listen(): void {
    try {
      const watcher = watch(this.#path, { persistent: false }, () => this.wakeHere());
      watcher.on('error', () => watcher.close());
    } catch {
      // The system has no watches left, or does not allow them: wake-ups come later, by the regular look.
    }
  }
}
