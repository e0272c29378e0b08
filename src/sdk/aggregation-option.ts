import type { AggregationChoice } from '../state/stream-choices.ts';
import { OptionError } from '../base/errors.ts';
import { anything, flag, rule, table, wholeNumber, type Check } from '../base/options.ts';
import { LARGEST_MAX_SIZE, MAX_SCALE, MIN_SCALE } from '../state/cells/exponential-index.ts';
import { DEFAULT_BOUNDARIES } from './aggregation.ts';

/** Values of `AggregationType` of `@opentelemetry/sdk-metrics`, by index. */
const TYPES = [
  'default',
  'drop',
  'sum',
  'last-value',
  'explicit-bucket-histogram',
  'exponential-histogram',
] as const;

type AggregationTypeName = (typeof TYPES)[number];

/** Default of the specification. */
const DEFAULT_MAX_SIZE = 160;

interface ExplicitOptions {
  readonly boundaries?: unknown;
  readonly recordMinMax?: boolean;
}

/** The scale may be limited (specification, base-2 exponential histogram); the official SDK ignores that. */
interface ExponentialOptions {
  readonly maxSize?: number;
  readonly maxScale?: number;
  readonly recordMinMax?: boolean;
}

interface GivenOption {
  readonly type: unknown;
  readonly options?: unknown;
}

/** What the options of each type may be. Other types have no options. */
const CHECKS: { readonly [T in AggregationTypeName]?: Check } = {
  'explicit-bucket-histogram': (value, option) => {
    table<ExplicitOptions>(
      {
        boundaries: rule('an array of numbers', (given) => bucketBounds(given) !== undefined),
        recordMinMax: flag,
      },
      { example: 'an object such as { boundaries: [1, 10, 100] }' },
    )(value, option);
    // Left out means the default bounds. An explicit undefined is a mistake, whose histogram would be wrong
    // for good.
    if ('boundaries' in (value as ExplicitOptions) && (value as ExplicitOptions).boundaries === undefined)
      throw new OptionError(`${option}.boundaries`, undefined, 'an array of numbers, or left out');
  },
  'exponential-histogram': table<ExponentialOptions>(
    {
      maxSize: wholeNumber(2, LARGEST_MAX_SIZE, 'a whole number of buckets'),
      maxScale: wholeNumber(MIN_SCALE, MAX_SCALE),
      recordMinMax: flag,
    },
    { example: 'an object such as { maxSize: 160 }' },
  ),
};

/** An `AggregationOption` of the official SDK, checked. Throws an `OptionError`; `name` names the option. */
export function aggregationChoice(option: unknown, name: string): AggregationChoice {
  const type = TYPES[(option as { type?: number } | null | undefined)?.type ?? -1];
  if (type === undefined)
    throw new OptionError(name, option, 'an AggregationOption such as { type: AggregationType.SUM }');
  const options = CHECKS[type] ?? table<object>({}, { example: 'left out: this type has no options' });
  table<GivenOption>({ type: anything, options })(option, name);
  const given = (option as { readonly options?: ExplicitOptions & ExponentialOptions }).options ?? {};
  const { recordMinMax = true } = given;
  switch (type) {
    case 'explicit-bucket-histogram':
      return { type, boundaries: bucketBounds(given.boundaries ?? DEFAULT_BOUNDARIES)!, recordMinMax };
    case 'exponential-histogram': {
      const { maxSize = DEFAULT_MAX_SIZE, maxScale = MAX_SCALE } = given;
      return { type, maxSize, maxScale, recordMinMax };
    }
    default:
      return { type };
  }
}

/**
 * Bucket bounds as they are used: a copy, ascending, without the infinities (the outer buckets are open
 * anyway) and without repetition. Undefined for what is no array of numbers. Never throws.
 */
export function bucketBounds(given: unknown): readonly number[] | undefined {
  if (!areNumbers(given)) return undefined;
  const finite = given.filter(Number.isFinite).sort((a, b) => a - b);
  return finite.filter((bound, i) => bound !== finite[i - 1]);
}

function areNumbers(values: unknown): values is number[] {
  try {
    return (
      Array.isArray(values) && values.every((value) => typeof value === 'number' && !Number.isNaN(value))
    );
  } catch {
    return false; // a revoked proxy, a getter that throws
  }
}
