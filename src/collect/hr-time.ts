import type { HrTime } from '@opentelemetry/api';

/** Milliseconds since the epoch as seconds and nanoseconds. */
export function hrTimeOf(millis: number): HrTime {
  const seconds = Math.floor(millis / 1000);
  return [seconds, Math.round((millis - seconds * 1000) * 1e6)];
}

/** Milliseconds since the epoch, to a thousandth: a float64 cannot hold nanoseconds. */
export function millisOf([seconds, nanos]: HrTime): number {
  return seconds * 1000 + nanos / 1e6;
}

/**
 * Times of milliseconds since the epoch. Equal times in a row are one object: most series start in the same
 * millisecond as their neighbours.
 */
export class HrTimes {
  #millis = NaN;
  #time: HrTime = [0, 0];

  of(millis: number): HrTime {
    if (millis !== this.#millis) {
      this.#millis = millis;
      this.#time = hrTimeOf(millis);
    }
    return this.#time;
  }
}

export function isEarlier(a: HrTime, b: HrTime): boolean {
  return a[0] < b[0] || (a[0] === b[0] && a[1] < b[1]);
}
