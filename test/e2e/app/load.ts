import type { Recorder } from './instruments.ts';

const ROUNDS_AT_ONCE = 20;
const PAUSE_MILLIS = 2;

/** Steady recording that leaves the event loop and other processes their turn. */
export class Load {
  readonly #recorder: Recorder;
  #timer: NodeJS.Timeout | undefined;

  constructor(recorder: Recorder) {
    this.#recorder = recorder;
  }

  start(): void {
    this.#timer ??= setInterval(() => this.#recorder.record(ROUNDS_AT_ONCE), PAUSE_MILLIS);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
