import { BATCH } from './attribute-columns.ts';

/** Measurements of a series before it is read or weighed for the first time. */
export const LATENCIES_A_SERIES = 64;

const MEDIAN = 50;
const SIGMA = 1.2;

/**
 * Milliseconds that a service takes: lognormal, half of them up to 50, one in a hundred above 800, so that 64 of them are spread over two or three
 * decades. As many as a batch, without order, the same in each run; boxed beforehand, see `recordedValues`.
 */
export function latencies(): number[] {
  let state = 0x1f123bb5;
  const random = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return ((state >>> 0) + 0.5) / 2 ** 32;
  };
  const values: unknown[] = Array.from({ length: BATCH }, () => {
    const normal = Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random()); // Box and Muller
    return MEDIAN * Math.exp(SIGMA * normal);
  });
  values.push('');
  return values as number[];
}
