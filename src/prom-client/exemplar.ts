import { systemClock } from '../base/platform.ts';

const LONGEST = 128;

/** An exemplar as OpenMetrics has it. It is of the thread that recorded it. */
export interface Exemplar {
  readonly labelSet: object;
  readonly value: number;
  readonly timestamp: number;
}

/** An exemplar of now. Throws a RangeError if the labels are too long (OpenMetrics, exemplars). */
export function exemplarOf(labelSet: object, value: number): Exemplar {
  const length = Object.entries(labelSet).reduce((sum, [name, label]) => sum + `${name}${label}`.length, 0);
  if (length > LONGEST) throw new RangeError('Label set size must be smaller than 128 UTF-8 chars');
  return { labelSet, value, timestamp: systemClock.now() / 1000 };
}
