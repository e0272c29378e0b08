import { systemClock } from '../base/platform.ts';

const LONGEST = 128;

/** An exemplar as OpenMetrics has it. It is of the thread that recorded it. */
export class Exemplar {
  labelSet: object = {};
  value: number | null = null;
  timestamp: number | undefined;

  /** Throws a RangeError, and changes nothing, if the labels are too long (OpenMetrics, exemplars). */
  set(labels: object, value: number): void {
    const length = Object.entries(labels).reduce((sum, [name, label]) => sum + `${name}${label}`.length, 0);
    if (length > LONGEST) throw new RangeError('Label set size must be smaller than 128 UTF-8 chars');
    this.labelSet = labels;
    this.value = value;
    this.timestamp = systemClock.now() / 1000;
  }
}
