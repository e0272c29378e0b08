import type {
  AggregationOption,
  AggregationType,
  IAttributesProcessor,
  ViewOptions,
} from '@opentelemetry/sdk-metrics';
import { OptionError } from '../base/errors.ts';
import { INSTRUMENT_KINDS, type InstrumentKind } from '../state/instrument-kind.ts';
import { GAUGE_MERGES, type GaugeMerge } from '../state/gauge-merge.ts';
import type { ViewReservoir } from '../state/reservoir-choice.ts';
import type { ViewDescription } from '../state/view-description.ts';
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

/** The options of a view: those of `@opentelemetry/sdk-metrics`, and a plain list of the attributes to keep. */
export interface SeqlockViewOptions extends Omit<ViewOptions, 'aggregation'> {
  /** The official options, and `maxScale` of exponential histograms: -10 to 20, 20 by default. */
  readonly aggregation?: AggregationOption | LimitedExponentialHistogram;
  /** Attributes with other keys are left out. Comes before `attributesProcessors`. */
  readonly attributeKeys?: readonly string[];
  /** Of gauges: how the values of several threads are reported; see `GaugeOptions`, which it goes before. */
  readonly merge?: (typeof GAUGE_MERGES)[number];
  /**
   * How exemplars are chosen: at most `size` of each series, one of each bucket of a histogram, or none. Default: one of each bucket for
   * histograms with explicit ones, up to 20 for exponential histograms, else one.
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
const OPTIONS: readonly string[] = [
  ...SELECTORS,
  'instrumentType',
  'name',
  'description',
  'attributeKeys',
  'attributesProcessors',
  'aggregation',
  'aggregationCardinalityLimit',
  'merge',
  'exemplarReservoir',
];

type GivenOptions = { readonly [K in keyof SeqlockViewOptions]: unknown };

/** Options of a view, checked. Throws an `OptionError`; `option` names the view. */
export function readViewOptions(
  given: unknown,
  option: string,
): { description: ViewDescription; filter: AttributeFilter | undefined } {
  if (typeof given !== 'object' || given === null)
    throw new OptionError(option, given, "an object such as { instrumentName: 'jobs', name: 'tasks' }");
  for (const key of Object.keys(given))
    if (!OPTIONS.includes(key))
      throw new OptionError(option, given, `an object of { ${OPTIONS.join(', ')} }`);
  const options = withoutNulls(given);
  const text = (key: (typeof SELECTORS)[number] | 'name' | 'description'): Record<string, string> => {
    const value = options[key];
    if (value === undefined) return {};
    if (typeof value !== 'string') throw new OptionError(`${option}.${key}`, value, 'a string');
    return { [key]: value };
  };
  const filter = filterOf(
    keyList(options.attributeKeys, option),
    processors(options.attributesProcessors, option),
  );
  const selector = Object.assign({}, ...SELECTORS.map(text), kind(options.instrumentType, option)) as Omit<
    ViewDescription,
    'stream'
  >;
  checkSelector(selector, options, option);
  return {
    filter,
    description: {
      ...selector,
      stream: {
        ...text('name'),
        ...text('description'),
        attributes: filter?.steps ?? [],
        ...(options.aggregation !== undefined && {
          aggregation: aggregationChoice(options.aggregation, `${option}.aggregation`),
        }),
        ...limit(options.aggregationCardinalityLimit, option),
        ...merge(options.merge, option),
        ...reservoir(options.exemplarReservoir, option),
      },
    },
  };
}

/** The official SDK takes null for left out. */
function withoutNulls(given: object): GivenOptions {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null));
}

/** Specification, view: no selector at all is an error; a name wants a selector that fits one instrument of a meter. */
function checkSelector(
  selector: Omit<ViewDescription, 'stream'>,
  { name }: GivenOptions,
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
      'a name without * and ?, since the view has a name: else several instruments would get that name',
    );
}

function kind(type: unknown, option: string): { instrumentType?: InstrumentKind } {
  if (type === undefined) return {};
  const known = INSTRUMENT_KINDS.find((one) => one === type);
  if (known === undefined)
    throw new OptionError(`${option}.instrumentType`, type, `one of ${INSTRUMENT_KINDS.join(', ')}`);
  return { instrumentType: known };
}

function limit(given: unknown, option: string): { cardinalityLimit?: number } {
  if (given === undefined) return {};
  if (!Number.isInteger(given) || (given as number) < 1)
    throw new OptionError(`${option}.aggregationCardinalityLimit`, given, 'a whole number from 1');
  return { cardinalityLimit: given as number };
}

function merge(given: unknown, option: string): { merge?: GaugeMerge } {
  if (given === undefined) return {};
  const known = GAUGE_MERGES.find((one) => one === given);
  if (known === undefined)
    throw new OptionError(`${option}.merge`, given, `one of ${GAUGE_MERGES.join(', ')}`);
  return { merge: known };
}

const MOST_EXEMPLARS = 1000;

function reservoir(given: unknown, option: string): { exemplarReservoir?: ViewReservoir } {
  if (given === undefined) return {};
  const { type, size } = Object(given) as { type?: unknown; size?: unknown };
  if (type === 'none' || type === 'aligned-buckets') return { exemplarReservoir: { type } };
  if (
    type === 'fixed-size' &&
    Number.isInteger(size) &&
    (size as number) >= 1 &&
    (size as number) <= MOST_EXEMPLARS
  )
    return { exemplarReservoir: { type, size: size as number } };
  throw new OptionError(
    `${option}.exemplarReservoir`,
    given,
    `{ type: 'fixed-size', size } of 1 to ${MOST_EXEMPLARS}, { type: 'aligned-buckets' } or { type: 'none' }`,
  );
}

function keyList(keys: unknown, option: string): readonly string[] | undefined {
  if (keys === undefined) return undefined;
  if (!Array.isArray(keys) || keys.some((key) => typeof key !== 'string'))
    throw new OptionError(`${option}.attributeKeys`, keys, 'an array of strings');
  return [...(keys as string[])];
}

function processors(given: unknown, option: string): IAttributesProcessor[] {
  if (given === undefined) return [];
  const name = `${option}.attributesProcessors`;
  if (!Array.isArray(given)) throw new OptionError(name, given, 'an array of attributes processors');
  given.forEach((processor: unknown, i) => {
    if (typeof (processor as Partial<IAttributesProcessor> | null)?.process !== 'function')
      throw new OptionError(
        `${name}[${i}]`,
        processor,
        "an attributes processor: createAllowListAttributesProcessor(['key']), or an object with process",
      );
  });
  return given as IAttributesProcessor[];
}
