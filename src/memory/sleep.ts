/**
 * Nobody writes or notifies this word: waiting on it is a sleep. Made when first used, since not every
 * runtime has shared memory.
 */
let word: Int32Array | undefined;

/**
 * Puts the thread to sleep; in Node the main thread may sleep so too. For a reader that a writer has to be
 * let go on.
 */
export function sleepSync(millis: number): void {
  word ??= new Int32Array(new SharedArrayBuffer(4));
  Atomics.wait(word, 0, 0, millis);
}
