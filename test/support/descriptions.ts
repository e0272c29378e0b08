/** Streams for tests. */
import { systemClock } from '../../src/base/platform.ts';
import { DEFAULT_CHOICE, INSTRUMENT_KINDS, type InstrumentKind } from '../../src/state/stream-choices.ts';
import type { Aggregation, StoreConfiguration, StreamDescription } from '../../src/state/records.ts';

type Described<A extends Aggregation> = StreamDescription & { readonly aggregation: A };

function described<A extends Aggregation>(name: string, kind: InstrumentKind, aggregation: A): Described<A> {
  const scope = { name: 'test', version: '1', schemaUrl: undefined };
  return {
    scope,
    name,
    description: '',
    unit: '',
    kind,
    integer: false,
    aggregation,
    created: systemClock.now(),
    selection: undefined,
  };
}

export function counter(name: string): Described<{ readonly type: 'sum'; readonly monotonic: boolean }> {
  return described(name, 'COUNTER', { type: 'sum', monotonic: true });
}

export function gauge(name: string): Described<{ readonly type: 'last-value' }> {
  return described(name, 'GAUGE', { type: 'last-value' });
}

export function sharedGauge(
  name: string,
): Described<{ readonly type: 'last-value' }> & { readonly merge: 'shared' } {
  return { ...gauge(name), merge: 'shared' };
}

export function histogram(
  name: string,
  boundaries: readonly number[],
): Described<Extract<Aggregation, { type: 'explicit-bucket-histogram' }>> {
  return described(name, 'HISTOGRAM', {
    type: 'explicit-bucket-histogram',
    boundaries,
    recordMinMax: true,
    hasSum: true,
  });
}

function ofEachKind<T>(value: T): Record<InstrumentKind, T> {
  return Object.fromEntries(INSTRUMENT_KINDS.map((kind) => [kind, value])) as Record<InstrumentKind, T>;
}

/** A store's configuration of which only some matters. */
export function configuration(given: Partial<StoreConfiguration>): StoreConfiguration {
  return {
    resource: {},
    resourceSchemaUrl: undefined,
    cardinalityLimits: {} as StoreConfiguration['cardinalityLimits'],
    selections: {} as StoreConfiguration['selections'],
    views: [],
    ...given,
  };
}

/** One that is whole, as a reader wants it. */
export function wholeConfiguration(given: Partial<StoreConfiguration>): StoreConfiguration {
  return {
    ...configuration(given),
    cardinalityLimits: { ...ofEachKind(10 ** 9), ...given.cardinalityLimits },
    selections: { ...ofEachKind([DEFAULT_CHOICE]), ...given.selections },
  };
}

export type ExponentialHistogramAggregation = Extract<Aggregation, { type: 'exponential-histogram' }>;

export function exponentialHistogram(
  name: string,
  options: Partial<ExponentialHistogramAggregation> = {},
): Described<ExponentialHistogramAggregation> {
  return described(name, options.negative === true ? 'UP_DOWN_COUNTER' : 'HISTOGRAM', {
    type: 'exponential-histogram',
    maxSize: 160,
    maxScale: 20,
    recordMinMax: true,
    hasSum: options.negative !== true,
    negative: false,
    ...options,
  });
}
