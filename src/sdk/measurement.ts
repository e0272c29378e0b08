import { shortText } from '../base/errors.ts';
import type { InstrumentKind } from '../state/stream-choices.ts';

interface ValueRule {
  /** True where values below 0 are taken. */
  readonly negative: boolean;
  /** Which of NaN and the infinities are kept: none, the infinities, or all. */
  readonly special: 'none' | 'infinity' | 'all';
}

/** Of observable counters a negative value is reported as 0, where it is observed. */
const RULES: Readonly<Record<InstrumentKind, ValueRule>> = {
  COUNTER: { negative: false, special: 'none' },
  UP_DOWN_COUNTER: { negative: true, special: 'none' },
  GAUGE: { negative: true, special: 'all' },
  HISTOGRAM: { negative: false, special: 'infinity' },
  OBSERVABLE_COUNTER: { negative: true, special: 'none' },
  OBSERVABLE_UP_DOWN_COUNTER: { negative: true, special: 'none' },
  OBSERVABLE_GAUGE: { negative: true, special: 'all' },
};

/** The instrument whose values are checked. */
export interface CheckedInstrument {
  readonly kind: InstrumentKind;
  readonly name: string;
  readonly integer: boolean;
}

/**
 * What an instrument takes as a value. A record call tests the common case itself (a number in range, no
 * integer instrument); everything else comes here. Each cause is warned of once per metric.
 */
export class ValueCheck {
  readonly integer: boolean;
  /**
   * The largest number that is taken as it is, if it is not below the smallest. NaN of an integer instrument:
   * all are checked.
   */
  readonly max: number;
  /** Warns of the instrument, once per cause. */
  readonly warn: (cause: string, message: string) => void;
  readonly #rule: ValueRule;
  readonly #name: string;

  constructor({ kind, name, integer }: CheckedInstrument, warn: (cause: string, message: string) => void) {
    this.integer = integer;
    this.#rule = RULES[kind];
    const largest = this.#rule.special === 'none' ? Number.MAX_VALUE : Infinity;
    this.max = integer ? NaN : largest;
    this.#name = `${kind.toLowerCase().replaceAll('_', ' ')} ${name}`;
    this.warn = warn;
  }

  /**
   * The value to record, or undefined when there is none. Never throws, whatever is passed; allocates only to
   * warn.
   */
  usable(value: unknown): number | undefined {
    const name = this.#name;
    if (typeof value !== 'number') {
      this.warn(
        'non-number',
        `non-number value provided to ${name}: ${shortText(value)}; it is not recorded, pass a number`,
      );
      return undefined;
    }
    if (!this.#rule.negative && value < 0) {
      this.warn('negative', `negative value provided to ${name}: ${value}; it is not recorded`);
      return undefined;
    }
    let used = value;
    if (this.integer && !Number.isInteger(value)) {
      this.warn(
        'integer',
        `INT value type cannot accept a floating-point value for ${name} (${value}); ignoring the fractional digits`,
      );
      used = Math.trunc(value) + 0; // + 0: no negative zero
      if (!Number.isInteger(used)) return undefined;
    }
    const { special } = this.#rule;
    if (Number.isFinite(used) || special === 'all') return used;
    if (special === 'infinity' && !Number.isNaN(used)) return used;
    this.warn('non-finite', `${value} provided to ${name}; it is not recorded, pass a finite number`);
    return undefined;
  }
}
