import { printed } from '../base/errors.ts';
import type { StreamWriter } from '../state/stream-writer.ts';

/**
 * What an instrument takes as a value. A record call tests the common case itself (a number in range, no integer
 * instrument); everything else comes here. Each cause is warned of once per metric.
 */
export interface ValueRule {
  /** Counters and histograms: below 0 is refused. */
  readonly negative: boolean;
  /** Which of NaN and the infinities are kept: none, the infinities, or all. */
  readonly special: 'none' | 'infinity' | 'all';
  readonly integer: boolean;
}

/** The value to record, or undefined when there is none. Never throws, whatever is passed; allocates only to warn. */
export function usableValue(value: unknown, rule: ValueRule, stream: StreamWriter): number | undefined {
  if (typeof value !== 'number') {
    stream.warn(
      'non-number',
      `non-number value provided to ${nameOf(stream)}: ${printed(value)}; not recorded`,
    );
    return undefined;
  }
  if (!rule.negative && value < 0) {
    stream.warn('negative', `negative value provided to ${nameOf(stream)}: ${value}; not recorded`);
    return undefined;
  }
  let used = value;
  if (rule.integer && !Number.isInteger(value)) {
    stream.warn(
      'integer',
      `INT value type cannot accept a floating-point value for ${nameOf(stream)} (${value}); ignoring the fractional digits`,
    );
    used = Math.trunc(value) + 0; // + 0: no negative zero
    if (!Number.isInteger(used)) return undefined;
  }
  if (Number.isFinite(used) || rule.special === 'all') return used;
  if (rule.special === 'infinity' && !Number.isNaN(used)) return used;
  stream.warn('non-finite', `${value} provided to ${nameOf(stream)}; not recorded`);
  return undefined;
}

function nameOf({ description: { kind, name } }: StreamWriter): string {
  return `${kind.toLowerCase().replaceAll('_', ' ')} ${name}`;
}
