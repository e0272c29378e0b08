import type { AggregationChoice } from '../state/aggregation-choice.ts';
import { OptionError } from '../base/errors.ts';
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

interface HistogramOptions {
  readonly boundaries?: unknown;
  readonly recordMinMax?: unknown;
}

/** The type an `AggregationOption` of the official SDK asks for. Throws an `OptionError` when it is none; `name` names the option. */
export function aggregationType(option: unknown, name: string): AggregationTypeName {
  const type = TYPES[(option as { type?: number } | null | undefined)?.type ?? -1];
  if (type === undefined)
    throw new OptionError(name, option, 'an AggregationOption such as { type: AggregationType.SUM }');
  return type;
}

/** An `AggregationOption` of the official SDK, checked. Throws an `OptionError`; `name` names the option. */
export function aggregationChoice(option: unknown, name: string): AggregationChoice {
  const type = aggregationType(option, name);
  if (type === 'exponential-histogram')
    throw new OptionError(name, option, 'another aggregation: this version has no exponential histograms');
  if (type !== 'explicit-bucket-histogram') return { type };
  const { options } = option as { options?: HistogramOptions | null };
  if (options !== undefined && (typeof options !== 'object' || options === null))
    throw new OptionError(`${name}.options`, options, 'an object such as { boundaries: [1, 10, 100] }');
  const { boundaries = DEFAULT_BOUNDARIES, recordMinMax = true } = options ?? {};
  const bounds = bucketBounds(boundaries);
  if (bounds === undefined)
    throw new OptionError(`${name}.options.boundaries`, boundaries, 'an array of numbers');
  if (typeof recordMinMax !== 'boolean')
    throw new OptionError(`${name}.options.recordMinMax`, recordMinMax, 'true or false');
  return { type, boundaries: bounds, recordMinMax };
}
