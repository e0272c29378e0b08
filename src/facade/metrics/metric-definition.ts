import { OptionError, shortText } from '../../base/errors.ts';
import { anything, table, type Check } from '../../base/options.ts';
import type { MetricsFamilyOptions } from './metrics-provider.ts';

export type MetricKind = 'counter' | 'gauge' | 'histogram';

/** A metric as the caller defined it, checked. */
export interface MetricDefinition {
  readonly kind: MetricKind;
  readonly name: string;
  readonly help: string;
  /** Sorted; undefined if any name may be used. */
  readonly labelNames: readonly string[] | undefined;
  /** For a histogram; empty otherwise. */
  readonly buckets: readonly number[];
}

/** How many buckets a histogram may have, without the one above the last bound. */
export const MAX_BUCKETS = 1000;

/** Bounds for response times in seconds (founding specification, "Common bucket configurations"). */
export const RESPONSE_TIME_BUCKETS: readonly number[] = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

/** Bounds for sizes in bytes (founding specification, "Common bucket configurations"). */
export const SIZE_BUCKETS: readonly number[] = [100, 1_000, 10_000, 100_000, 1_000_000];

const METRIC_NAME = /^[A-Za-z_:][A-Za-z0-9_:]*$/;
const LABEL_NAME = /^(?!__)[A-Za-z_][A-Za-z0-9_]*$/;

const CHECK: Check = table<MetricsFamilyOptions>(
  { labelNames: anything }, // see `checkedLabelNames`
  { example: "an object such as { labelNames: ['method'] }" },
);

/** Checks what a caller asked for. Throws an `OptionError` that names what is wrong, and what is allowed. */
export function defineMetric(
  kind: MetricKind,
  name: unknown,
  help: unknown,
  options: MetricsFamilyOptions = {},
  buckets?: unknown,
): MetricDefinition {
  if (typeof name !== 'string' || !METRIC_NAME.test(name))
    throw new OptionError(`name of a ${kind}`, name, 'letters, digits, _ and :, and no digit first');
  if (typeof help !== 'string') throw new OptionError(`help of ${name}`, help, 'a string');
  CHECK(options, `options of ${name}`);
  return {
    kind,
    name,
    help,
    labelNames: checkedLabelNames(name, kind, options.labelNames),
    buckets: kind === 'histogram' ? checkedBuckets(name, buckets ?? RESPONSE_TIME_BUCKETS) : [],
  };
}

/** Whether a label of a metric of this kind may have this name. */
export function isLabelName(name: string, kind: MetricKind): boolean {
  return LABEL_NAME.test(name) && !(kind === 'histogram' && name === 'le');
}

function checkedLabelNames(metric: string, kind: MetricKind, names: unknown): readonly string[] | undefined {
  if (names === undefined) return undefined;
  if (!Array.isArray(names)) throw new OptionError(`labelNames of ${metric}`, names, 'an array of strings');
  for (const name of names as unknown[])
    if (typeof name !== 'string' || !isLabelName(name, kind))
      throw new OptionError(
        `label name of ${metric}`,
        name,
        `letters, digits and _, no digit first, no __ first${kind === 'histogram' ? ', and not le' : ''}`,
      );
  const sorted = [...(names as string[])].sort();
  const twice = sorted.find((name, i) => name === sorted[i - 1]);
  if (twice !== undefined) throw new OptionError(`label name of ${metric}`, twice, 'given once');
  return sorted;
}

function checkedBuckets(metric: string, buckets: unknown): readonly number[] {
  const option = `buckets of ${metric}`;
  if (!Array.isArray(buckets) || buckets.length === 0)
    throw new OptionError(option, buckets, 'an array of at least one number');
  if (buckets.length > MAX_BUCKETS)
    throw new OptionError(option, `${buckets.length} bounds`, `at most ${MAX_BUCKETS}`);
  (buckets as unknown[]).forEach((bound, i) => {
    if (typeof bound !== 'number' || !Number.isFinite(bound))
      throw new OptionError(
        `${option}[${i}]`,
        bound,
        'a finite number; the bucket up to +Infinity is there by itself',
      );
    if (i > 0 && bound <= (buckets[i - 1] as number))
      throw new OptionError(
        `${option}[${i}]`,
        bound,
        `above the bound before it, ${shortText(buckets[i - 1])}: bounds ascend`,
      );
  });
  return [...(buckets as number[])];
}
