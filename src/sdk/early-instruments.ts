/**
 * Instruments that an app makes before it registers a meter provider. The API's no-op provider gives the
 * meters for them, and they never record anything. That provider is a single object, so it can be watched for
 * the names that are asked for. Only those after this file was loaded are known.
 */
import { createNoopMeter, metrics, type Meter } from '@opentelemetry/api';
import { ofThisThread } from '../base/this-thread.ts';

const METHODS = [
  'createCounter',
  'createUpDownCounter',
  'createGauge',
  'createHistogram',
  'createObservableCounter',
  'createObservableUpDownCounter',
  'createObservableGauge',
] as const satisfies readonly (keyof Meter)[];

const MAX_NAMES = 100;
/** For all copies of the package: the copy that was loaded last gets the names. */
const names: Set<string> = ofThisThread('early-instruments', () => new Set());

/** Like the no-op meter, and also notes the names. */
const meter: Meter = Object.create(createNoopMeter()) as Meter;
for (const method of METHODS) {
  const make = meter[method].bind(meter) as (name: string) => never;
  meter[method] = (name: string) => {
    if (names.size < MAX_NAMES) names.add(name);
    return make(name);
  };
}

const provider = metrics.getMeterProvider();
if (isNoopProvider(provider)) provider.getMeter = () => meter;

/** The API's own, which is used while none is registered. */
export function isNoopProvider(one: object): boolean {
  return one.constructor.name === 'NoopMeterProvider';
}

/** Notes that an instrument of this name was made that records. */
export function noteInstrument(name: string): void {
  names.delete(name);
}

/** Names of instruments that were made without a provider, and not again with one. Returns each name once. */
export function earlyInstruments(): string[] {
  const found = [...names];
  names.clear();
  return found;
}
