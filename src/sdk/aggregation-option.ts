import type { AggregationChoice } from '../state/aggregation-choice.ts';
import { OptionError } from '../base/errors.ts';
import { MAX_SCALE, MIN_SCALE } from '../state/cells/exponential-index.ts';
import { DEFAULT_BOUNDARIES } from './aggregation.ts';
import { bucketBounds } from './bucket-bounds.ts';

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
/** A cell takes twice as many float64 words. */
const LARGEST_MAX_SIZE = 4096;

interface HistogramOptions {
  readonly boundaries?: unknown;
  readonly maxSize?: unknown;
  readonly maxScale?: unknown;
  readonly recordMinMax?: unknown;
}

/** The type an `AggregationOption` of the official SDK asks for. Throws an `OptionError` when it is none; `name` names the option. */
function aggregationType(option: unknown, name: string): AggregationTypeName {
  const type = TYPES[(option as { type?: number } | null | undefined)?.type ?? -1];
  if (type === undefined)
    throw new OptionError(name, option, 'an AggregationOption such as { type: AggregationType.SUM }');
  return type;
}

/** An `AggregationOption` of the official SDK, checked. Throws an `OptionError`; `name` names the option. */
export function aggregationChoice(option: unknown, name: string): AggregationChoice {
  const type = aggregationType(option, name);
  switch (type) {
    case 'explicit-bucket-histogram':
      return explicitChoice(optionsOf(option, name, '{ boundaries: [1, 10, 100] }'), name);
    case 'exponential-histogram':
      return exponentialChoice(optionsOf(option, name, '{ maxSize: 160 }'), name);
    default:
      return { type };
  }
}

function optionsOf(option: unknown, name: string, example: string): HistogramOptions {
  const { options = {} } = option as { options?: unknown };
  if (typeof options !== 'object' || options === null)
    throw new OptionError(`${name}.options`, options, `an object such as ${example}`);
  return options;
}

function explicitChoice(
  { boundaries = DEFAULT_BOUNDARIES, recordMinMax }: HistogramOptions,
  name: string,
): AggregationChoice {
  const bounds = bucketBounds(boundaries);
  if (bounds === undefined)
    throw new OptionError(`${name}.options.boundaries`, boundaries, 'an array of numbers');
  const minMax = minMaxChoice(recordMinMax, name);
  return { type: 'explicit-bucket-histogram', boundaries: bounds, recordMinMax: minMax };
}

/** The scale may be limited (specification, base-2 exponential histogram); the official SDK takes no notice of that. */
function exponentialChoice(
  { maxSize = DEFAULT_MAX_SIZE, maxScale = MAX_SCALE, recordMinMax }: HistogramOptions,
  name: string,
): AggregationChoice {
  if (!isWhole(maxSize, 2, LARGEST_MAX_SIZE))
    throw new OptionError(
      `${name}.options.maxSize`,
      maxSize,
      `a whole number of buckets from 2 to ${LARGEST_MAX_SIZE}`,
    );
  if (!isWhole(maxScale, MIN_SCALE, MAX_SCALE))
    throw new OptionError(
      `${name}.options.maxScale`,
      maxScale,
      `a whole number from ${MIN_SCALE} to ${MAX_SCALE}`,
    );
  return { type: 'exponential-histogram', maxSize, maxScale, recordMinMax: minMaxChoice(recordMinMax, name) };
}

function minMaxChoice(recordMinMax: unknown, name: string): boolean {
  if (recordMinMax !== undefined && typeof recordMinMax !== 'boolean')
    throw new OptionError(`${name}.options.recordMinMax`, recordMinMax, 'true or false');
  return recordMinMax ?? true;
}

function isWhole(value: unknown, low: number, high: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= low && value <= high;
}
