import { ValueType, type MetricOptions } from '@opentelemetry/api';
import { shortText } from '../base/errors.ts';
import { unknownKey } from '../base/options.ts';
import type { Warnings } from '../base/warnings.ts';
import { bucketBounds } from './aggregation-option.ts';
import { GAUGE_MERGES, type GaugeMerge, type InstrumentKind } from '../state/stream-choices.ts';

/** An instrument as it was asked for, checked. */
export interface InstrumentDescriptor {
  readonly name: string;
  readonly kind: InstrumentKind;
  readonly description: string;
  readonly unit: string;
  readonly valueType: ValueType;
  /** Advised bucket bounds, checked; undefined if there are none that can be used. */
  readonly boundaries: readonly number[] | undefined;
  /** For gauges: how the values of several threads are reported; undefined if not given. */
  readonly merge?: GaugeMerge | undefined;
}

/** What `createGauge` and `createObservableGauge` take beside the API's options. */
export interface GaugeOptions extends MetricOptions {
  /**
   * How the values that several threads set in one series are reported. `most-recent` (default): the value
   * that was set last. `sum`, `min` or `max`: of what each live thread set last. `per-writer`: each value by
   * itself, with the attribute `thread.id`. Use the same in all threads.
   */
  readonly merge?: (typeof GAUGE_MERGES)[number];
}

/**
 * Instrument name syntax of the specification: ASCII letter, then up to 254 of letters, digits, `_`, `.`,
 * `-`, `/`.
 */
const NAME = /^[a-z][a-z0-9_.\-/]{0,254}$/i;

/**
 * Checks what a caller asked for. What is wrong is replaced, with a warning. It always returns an instrument,
 * since the specification wants a working one.
 */
export function describeInstrument(
  name: unknown,
  kind: InstrumentKind,
  options: MetricOptions | undefined,
  warnings: Warnings,
): InstrumentDescriptor {
  const usedName = textOf(name);
  if (typeof name !== 'string' || !NAME.test(name))
    warnings.once(
      'name',
      usedName,
      `Invalid metric name: ${shortText(name)}. The metric name should be an ASCII string with a length no greater than 255 characters: a letter, then letters, digits, '_', '.', '-' or '/'.`,
    );
  const given = readOptions(options, usedName, warnings);
  const text = (option: 'description' | 'unit'): string => {
    const value = given[option];
    if (typeof value !== 'string' && value !== undefined && value !== null)
      warnings.once(
        option,
        usedName,
        `${option} of metric ${usedName} is ${shortText(value)}; it must be a string`,
      );
    return textOf(value);
  };
  const { valueType } = given;
  if (valueType !== undefined && valueType !== ValueType.INT && valueType !== ValueType.DOUBLE)
    warnings.once(
      'valueType',
      usedName,
      `valueType of metric ${usedName} is ${shortText(valueType)}; it must be ValueType.INT or ValueType.DOUBLE. ValueType.DOUBLE is used`,
    );
  return {
    name: usedName,
    kind,
    description: text('description'),
    unit: text('unit'),
    valueType: valueType === ValueType.INT ? ValueType.INT : ValueType.DOUBLE,
    boundaries:
      advisedBoundaries(usedName, given.boundaries, warnings) ??
      (kind === 'HISTOGRAM' && given.unit === 's' ? SECONDS_BOUNDARIES : undefined),
    merge: gaugeMerge(usedName, kind, given.merge, warnings),
  };
}

function gaugeMerge(
  name: string,
  kind: InstrumentKind,
  merge: unknown,
  warnings: Warnings,
): GaugeMerge | undefined {
  if (merge === undefined || merge === null) return undefined;
  const known = GAUGE_MERGES.find((one) => one === merge);
  if (known !== undefined && kind.endsWith('GAUGE')) return known;
  warnings.once(
    'merge',
    name,
    known === undefined
      ? `merge of metric ${name} is ${shortText(merge)}; it must be one of ${GAUGE_MERGES.join(', ')}. most-recent is used instead`
      : `merge of metric ${name} has no effect: only gauges have a merge`,
  );
  return undefined;
}

const OPTIONS = ['description', 'unit', 'valueType', 'advice', 'merge'];
/** The second is in the specification, but not in the API. */
const ADVICE = ['explicitBucketBoundaries', 'attributes'];

interface GivenOptions {
  readonly description?: unknown;
  readonly unit?: unknown;
  readonly valueType?: unknown;
  readonly boundaries?: unknown;
  readonly merge?: unknown;
}

/**
 * Default bounds of histograms in seconds: those that the semantic conventions have for durations. The
 * specification's default bounds, 0 to 10,000, are meant for milliseconds: nearly all durations in seconds
 * would be in one bucket.
 */
const SECONDS_BOUNDARIES: readonly number[] = [
  0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
];

/** The content of an options object; nothing if reading it throws. */
function readOptions(options: MetricOptions | undefined, name: string, warnings: Warnings): GivenOptions {
  try {
    if (typeof options !== 'object' || options === null) return {};
    const { description, unit, valueType, advice, merge } = options as GaugeOptions;
    const unknown =
      unknownKey(`metric ${name}`, options, OPTIONS) ??
      unknownKey(`the advice of metric ${name}`, advice, ADVICE);
    if (unknown !== undefined) warnings.once('unknown option', name, unknown);
    if (
      advice !== undefined &&
      'explicitBucketBoundaries' in advice &&
      advice.explicitBucketBoundaries === undefined
    )
      warnings.once(
        'advice',
        name,
        `explicitBucketBoundaries of metric ${name} are undefined; the default boundaries are used`,
      );
    return { description, unit, valueType, boundaries: advice?.explicitBucketBoundaries, merge };
  } catch (error) {
    warnings.once(
      'options',
      name,
      `the options of metric ${name} cannot be read (${shortText(error)}); the defaults are used`,
    );
    return {};
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : value === undefined || value === null ? '' : shortText(value);
}

/** Advised bounds in the form that is used; undefined, with a warning, if they cannot be used. */
function advisedBoundaries(
  name: string,
  advised: unknown,
  warnings: Warnings,
): readonly number[] | undefined {
  if (advised === undefined || advised === null) return undefined;
  const bounds = bucketBounds(advised);
  if (bounds === undefined)
    warnings.once(
      'advice',
      name,
      `explicitBucketBoundaries of metric ${name} are ${shortText(advised)}; they must be an array of numbers. The default boundaries are used.`,
    );
  else if (bounds.length < (advised as number[]).filter(Number.isFinite).length)
    warnings.once(
      'advice',
      name,
      `explicitBucketBoundaries of metric ${name} repeat a value; it is used once`,
    );
  return bounds;
}
