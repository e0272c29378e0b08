import type { Attributes, Context } from '@opentelemetry/api';
import type {
  AggregationOption,
  AggregationType,
  IAttributesProcessor,
  ViewOptions,
} from '@opentelemetry/sdk-metrics';
import { OptionError } from '../base/errors.ts';
import {
  anything,
  isObject,
  listOf,
  oneOf,
  rule,
  someFunction,
  table,
  text,
  wholeNumber,
  type Check,
} from '../base/options.ts';
import {
  INSTRUMENT_KINDS,
  GAUGE_MERGES,
  type ViewReservoir,
  type ViewDescription,
} from '../state/stream-choices.ts';
import { aggregationChoice } from './aggregation-option.ts';
import { filterOf, type AttributeFilter } from './attribute-filter.ts';
import { hasWildcard } from './name-pattern.ts';

interface LimitedExponentialHistogram {
  readonly type: AggregationType.EXPONENTIAL_HISTOGRAM;
  readonly options?: {
    readonly maxSize?: number;
    readonly maxScale?: number;
    readonly recordMinMax?: boolean;
  };
}

/** A measurement that may become an exemplar. */
export interface OfferedMeasurement {
  /** What was recorded. */
  readonly value: number;
  /** When it was made: milliseconds since the epoch. */
  readonly timeMillis: number;
  /** All attributes of the call, also those that a view drops. The caller's object: do not change it. */
  readonly attributes: Attributes;
  /** The context of the call, with its span. */
  readonly context: Context;
}

/**
 * Chooses which measurements of one series become exemplars (specification, ExemplarReservoir). It runs in
 * the thread that records, which is the one whose provider has the view. What it chooses is kept in the
 * store, so that readers in any thread find it: there is no `collect`.
 */
export interface ExemplarReservoir {
  /**
   * The place that is to keep the measurement, from 0 to below `size`, or undefined for none. What was there
   * is replaced. If it throws, the measurement does not become an exemplar, with a warning.
   */
  offer(measurement: OfferedMeasurement): number | undefined;
  /** Called before the first offer after a collection. */
  collected?(): void;
}

/**
 * The options of a view: those of `@opentelemetry/sdk-metrics`, and a plain list of the attributes to keep.
 */
export interface SeqlockViewOptions extends Omit<ViewOptions, 'aggregation'> {
  /** The official options, and `maxScale` of exponential histograms: -10 to 20, 20 by default. */
  readonly aggregation?: AggregationOption | LimitedExponentialHistogram;
  /** Keys of the attributes to keep; all others are dropped. Applied before `attributesProcessors`. */
  readonly attributeKeys?: readonly string[];
  /** For gauges: how the values of several threads are reported. Takes precedence over `GaugeOptions`. */
  readonly merge?: (typeof GAUGE_MERGES)[number];
  /**
   * How exemplars are chosen: at most `size` of each series, one for each bucket of a histogram, or none.
   * Default: one for each bucket for histograms with explicit bounds, up to 20 for exponential histograms,
   * otherwise one. Or `size` of each series as your code chooses: `create` is called for each series.
   */
  readonly exemplarReservoir?:
    | Exclude<ViewReservoir, { readonly size: number }>
    | { readonly type: 'fixed-size'; readonly size: number }
    | { readonly type: 'custom'; readonly size: number; readonly create: () => ExemplarReservoir };
}

const SELECTORS = [
  'instrumentName',
  'instrumentUnit',
  'meterName',
  'meterVersion',
  'meterSchemaUrl',
] as const;
const MAX_EXEMPLARS = 1000;

const CHECK: Check = table<SeqlockViewOptions>(
  {
    instrumentName: text,
    instrumentUnit: text,
    meterName: text,
    meterVersion: text,
    meterSchemaUrl: text,
    instrumentType: oneOf(INSTRUMENT_KINDS),
    name: text,
    description: text,
    attributeKeys: listOf(text, 'an array of strings'),
    attributesProcessors: listOf(
      rule(
        "an attributes processor: createAllowListAttributesProcessor(['key']), or an object with process",
        (value) => typeof (value as Partial<IAttributesProcessor> | null)?.process === 'function',
      ),
      'an array of attributes processors',
    ),
    aggregation: anything, // see `aggregationChoice`
    aggregationCardinalityLimit: wholeNumber(1, Infinity),
    merge: oneOf(GAUGE_MERGES),
    exemplarReservoir: checkReservoir,
  },
  { example: "an object such as { instrumentName: 'jobs', name: 'tasks' }" },
);

/** Options of a view, checked. Throws an `OptionError`; `option` names the view. */
export function readViewOptions(
  given: unknown,
  option: string,
): {
  description: ViewDescription;
  filter: AttributeFilter | undefined;
  createReservoir?: () => ExemplarReservoir;
} {
  const options = withoutNulls(given);
  CHECK(options, option);
  const filter = filterOf(options.attributeKeys, options.attributesProcessors ?? []);
  const selector = picked(options, [...SELECTORS, 'instrumentType']) as Omit<ViewDescription, 'stream'>;
  checkSelector(selector, options, option);
  const { aggregation, aggregationCardinalityLimit, exemplarReservoir } = options;
  return {
    filter,
    ...(exemplarReservoir?.type === 'custom' && { createReservoir: exemplarReservoir.create }),
    description: {
      ...selector,
      stream: {
        ...picked(options, ['name', 'description', 'merge']),
        ...(exemplarReservoir !== undefined && { exemplarReservoir: withoutCode(exemplarReservoir) }),
        attributes: filter?.steps ?? [],
        ...(aggregation !== undefined && {
          aggregation: aggregationChoice(aggregation, `${option}.aggregation`),
        }),
        ...(aggregationCardinalityLimit !== undefined && { cardinalityLimit: aggregationCardinalityLimit }),
      },
    },
  };
}

/** The options with these keys that are given. */
function picked<K extends keyof SeqlockViewOptions>(
  options: SeqlockViewOptions,
  keys: readonly K[],
): { [P in K]?: NonNullable<SeqlockViewOptions[P]> } {
  return Object.fromEntries(
    keys.filter((key) => options[key] !== undefined).map((key) => [key, options[key]]),
  ) as { [P in K]?: NonNullable<SeqlockViewOptions[P]> };
}

/** In the official SDK null means left out. */
function withoutNulls(given: unknown): SeqlockViewOptions {
  if (!isObject(given)) return given as SeqlockViewOptions; // which the check refuses
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null));
}

/**
 * Specification, view: a view without any selector is an error. A view with a name needs a selector that
 * matches one instrument of a meter.
 */
function checkSelector(
  selector: Omit<ViewDescription, 'stream'>,
  { name }: SeqlockViewOptions,
  option: string,
): void {
  const { instrumentName } = selector;
  if (Object.keys(selector).length === 0)
    throw new OptionError(
      option,
      selector,
      "given what it selects: at least one of instrumentName, instrumentType, instrumentUnit, meterName, meterVersion, meterSchemaUrl. { instrumentName: '*' } selects all",
    );
  if (name !== undefined && (instrumentName === undefined || hasWildcard(instrumentName)))
    throw new OptionError(
      `${option}.instrumentName`,
      instrumentName,
      'a name without * and ? in a view that has a name: several instruments would get that name otherwise',
    );
}

/** As other threads can have it. */
function withoutCode(choice: NonNullable<SeqlockViewOptions['exemplarReservoir']>): ViewReservoir {
  return choice.type === 'custom' ? { type: choice.type, size: choice.size } : choice;
}

function checkReservoir(given: unknown, option: string): void {
  const { type } = Object(given) as { type?: unknown };
  const sizes = wholeNumber(1, MAX_EXEMPLARS);
  if (type === 'fixed-size') {
    table<{ type: unknown; size: unknown }>({ type: anything, size: sizes })(given, option);
    sizes((given as { size?: unknown }).size, `${option}.size`);
  } else if (type === 'custom') {
    const shape = { type: anything, size: sizes, create: someFunction };
    table<{ type: unknown; size: unknown; create: unknown }>(shape)(given, option);
    const { size, create } = given as { size?: unknown; create?: unknown };
    sizes(size, `${option}.size`);
    someFunction(create, `${option}.create`);
  } else if (type === 'none' || type === 'aligned-buckets')
    table<{ type: unknown }>({ type: anything })(given, option);
  else
    throw new OptionError(
      option,
      given,
      `{ type: 'fixed-size', size } of 1 to ${MAX_EXEMPLARS}, { type: 'custom', size, create }, { type: 'aligned-buckets' } or { type: 'none' }`,
    );
}
