import {
  createNoopMeter,
  type Attributes,
  type Counter,
  type Gauge,
  type Histogram,
  type UpDownCounter,
} from '@opentelemetry/api';
import { tellOfLoss } from '../base/warnings.ts';
import type { BoundCounter, BoundRecorder } from './instruments.ts';

interface Bindable<T> {
  bind(attributes?: Attributes): T;
}

/**
 * Resolves the attributes of a counter once, so that recording needs no look-up. Works with instruments of
 * any provider: for those of another SDK, and for the API's no-op ones, the result passes a copy of the
 * attributes with each call. Use the result in the thread that made it.
 *
 * @throws TypeError where `instrument` is none.
 */
export function bind(instrument: Counter | UpDownCounter, attributes?: Attributes): BoundCounter;
/**
 * The same for a gauge or a histogram.
 *
 * @throws TypeError where `instrument` is none.
 */
export function bind(instrument: Gauge | Histogram, attributes?: Attributes): BoundRecorder;
export function bind(
  instrument: Counter | UpDownCounter | Gauge | Histogram,
  attributes?: Attributes,
): BoundCounter | BoundRecorder {
  const candidate = instrument as
    Partial<Bindable<BoundCounter & BoundRecorder> & Counter & Histogram> | null | undefined;
  if (typeof candidate?.bind === 'function') return candidate.bind(attributes);
  if (isNoop(instrument))
    tellOfLoss(
      'warn',
      'seqlock-metrics: bind was given an instrument of the no-op meter of the API, which records nothing: it was made before a meter provider was registered, or after that was shut down. Make the instrument later',
    );
  const copy = { ...attributes };
  if (typeof candidate?.add === 'function')
    return { add: (value, context) => (instrument as Counter).add(value, copy, context) };
  if (typeof candidate?.record === 'function')
    return { record: (value, context) => (instrument as Histogram).record(value, copy, context) };
  throw new TypeError('bind needs a Counter, UpDownCounter, Gauge or Histogram');
}

const NOOPS: ReadonlySet<unknown> = new Set([
  createNoopMeter().createCounter(''),
  createNoopMeter().createUpDownCounter(''),
  createNoopMeter().createGauge(''),
  createNoopMeter().createHistogram(''),
]);

/** The API has one of each kind, for all names. */
function isNoop(instrument: unknown): boolean {
  return NOOPS.has(instrument);
}
