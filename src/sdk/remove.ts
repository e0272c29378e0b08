import type { Attributes, Counter, Gauge, Histogram, Observable, UpDownCounter } from '@opentelemetry/api';

interface Removable {
  remove(attributes?: Attributes): void;
}

/**
 * Ends the series of these attributes, in all threads and processes of the store; see `remove` of the
 * instrument. Works with instruments of any provider: false for those of another SDK, and for the API's no-op
 * ones, whose series cannot be ended.
 *
 * @throws TypeError where `instrument` is none.
 */
export function remove(
  instrument: Counter | UpDownCounter | Gauge | Histogram | Observable,
  attributes?: Attributes,
): boolean {
  const candidate = instrument as Partial<Removable & Counter & Histogram & Observable> | null | undefined;
  if (typeof candidate?.remove === 'function') {
    candidate.remove(attributes);
    return true;
  }
  if (
    typeof candidate?.add === 'function' ||
    typeof candidate?.record === 'function' ||
    typeof candidate?.addCallback === 'function'
  )
    return false;
  throw new TypeError('remove needs an instrument');
}
