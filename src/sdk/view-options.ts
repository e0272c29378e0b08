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
   * otherwise one.
   */
  readonly exemplarReservoir?: ViewReservoir;
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
): { description: ViewDescription; filter: AttributeFilter | undefined } {
  const options = withoutNulls(given);
  CHECK(options, option);
  const filter = filterOf(options.attributeKeys, options.attributesProcessors ?? []);
  const selector = picked(options, [...SELECTORS, 'instrumentType']) as Omit<ViewDescription, 'stream'>;
  checkSelector(selector, options, option);
  const { aggregation, aggregationCardinalityLimit } = options;
  return {
    filter,
    description: {
      ...selector,
      stream: {
        ...picked(options, ['name', 'description', 'merge', 'exemplarReservoir']),
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

function checkReservoir(given: unknown, option: string): void {
  const { type } = Object(given) as { type?: unknown };
  const sizes = wholeNumber(1, MAX_EXEMPLARS);
  if (type === 'fixed-size') {
    table<{ type: unknown; size: unknown }>({ type: anything, size: sizes })(given, option);
    sizes((given as { size?: unknown }).size, `${option}.size`);
  } else if (type === 'none' || type === 'aligned-buckets')
    table<{ type: unknown }>({ type: anything })(given, option);
  else
    throw new OptionError(
      option,
      given,
      `{ type: 'fixed-size', size } of 1 to ${MAX_EXEMPLARS}, { type: 'aligned-buckets' } or { type: 'none' }`,
    );
}
