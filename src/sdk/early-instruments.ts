/**
 * Instruments that an app makes before it registers a meter provider: the API's no-op provider gives the
 * meters for them, and they record nothing for ever. That provider is one object to all, so it can be heard
 * there which names are asked for. Only what is asked for after this file was loaded is known.
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
/** Of all copies of the package: the copy that was loaded last hears of them. */
const names: Set<string> = ofThisThread('early-instruments', () => new Set());

/** As the no-op meter, but that it notes the names. */
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

/** The API's own, which stands there while none is registered. */
export function isNoopProvider(one: object): boolean {
  return one.constructor.name === 'NoopMeterProvider';
}

/** An instrument of this name was made that records. */
export function noteInstrument(name: string): void {
  names.delete(name);
}

/** Names of instruments that were made without a provider, and not again with one. Gives each once. */
export function earlyInstruments(): string[] {
  const found = [...names];
  names.clear();
  return found;
}
