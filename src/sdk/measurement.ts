import { shortText } from '../base/errors.ts';
import type { InstrumentKind } from '../state/stream-choices.ts';

interface ValueRule {
  /** True where values below 0 are taken. */
  readonly negative: boolean;
  /** Which of NaN and the infinities are accepted: none, the infinities, or all. */
  readonly special: 'none' | 'infinity' | 'all';
}

/** A negative value of an observable counter is reported as 0; see `ObservableInstrument.observe`. */
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
 * Which values an instrument accepts. A record call tests the common case itself: a number in range, no
 * integer instrument. Everything else comes here. Each cause is warned of once per metric.
 */
export class ValueCheck {
  readonly integer: boolean;
  /**
   * The largest number that needs no check, if it is not below the smallest. NaN for an integer instrument:
   * all numbers are checked.
   */
  readonly max: number;
  /** Warns about the instrument, once per cause. */
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
   * The value to record; undefined if there is none. Never throws, whatever is passed; allocates only to
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
      used = Math.trunc(value) + 0; // + 0 turns -0 into 0
      if (!Number.isInteger(used)) return undefined;
    }
    const { special } = this.#rule;
    if (Number.isFinite(used) || special === 'all') return used;
    if (special === 'infinity' && !Number.isNaN(used)) return used;
    this.warn('non-finite', `${value} provided to ${name}; it is not recorded, pass a finite number`);
    return undefined;
  }
}
