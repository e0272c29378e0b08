import { shortText } from '../../base/errors.ts';
import type { Warnings } from '../../base/warnings.ts';
import type { MetricDefinition } from './metric-definition.ts';

const MAX = Number.MAX_VALUE;

/** Decides which numbers a metric records. Warns about the others, once per cause. Never throws. */
export class ValueGuard {
  readonly #definition: MetricDefinition;
  readonly #warnings: Warnings;

  constructor(definition: MetricDefinition, warnings: Warnings) {
    this.#definition = definition;
    this.#warnings = warnings;
  }

  /** For increments and observations: finite, from 0. */
  isPositive(value: number): boolean {
    return (
      (typeof value === 'number' && value >= 0 && value <= MAX) || this.#refuse(value, 'finite number from 0')
    );
  }

  /** For values and steps of gauges: finite. */
  isFinite(value: number): boolean {
    return (
      (typeof value === 'number' && value >= -MAX && value <= MAX) || this.#refuse(value, 'finite number')
    );
  }

  #refuse(value: unknown, allowed: string): false {
    const { kind, name } = this.#definition;
    const cause = typeof value !== 'number' ? 'type' : value < 0 && value >= -MAX ? 'negative' : 'not finite';
    this.#warnings.loss(
      `value ${cause}`,
      name,
      `${kind} ${name}: ${shortText(value)} is not recorded; the value must be a ${allowed}${typeof value === 'object' ? '. Pass labels to labels()' : ''}`,
    );
    return false;
  }
}
