/**
 * Nobody writes or notifies this word, so waiting on it is a sleep. It is made when first used, since not
 * every runtime has shared memory.
 */
let word: Int32Array | undefined;

/** Puts the thread to sleep, even the main thread. For a reader that must let a writer finish. */
export function sleepSync(millis: number): void {
  word ??= new Int32Array(new SharedArrayBuffer(4));
  Atomics.wait(word, 0, 0, millis);
}
