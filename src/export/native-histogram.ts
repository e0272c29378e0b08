/**
 * Exponential histograms as native histograms of the Prometheus protobuf format (OpenTelemetry specification, compatibility with
 * Prometheus): fields 5 to 13 of `io.prometheus.client.Histogram`.
 *
 * Prometheus numbers a bucket by its upper bound where OpenTelemetry numbers it by its lower one, so its indices are one higher. Its
 * schemas are our scales from -4 to 8: finer histograms are brought down to 8; coarser ones have no native form.
 */
import type { MetricColumn } from '../collect/metric-column.ts';
import * as R from '../collect/exponential-row.ts';
import type { ProtobufWriter } from './protobuf-writer.ts';

const HIGHEST_SCHEMA = 8;
const LOWEST_SCHEMA = -4;
/** Values up to here count as zeros. OpenTelemetry knows of no such width, and Prometheus wants one (specification: this). */
const ZERO_THRESHOLD = 1e-128;
const LOG2_ZERO_THRESHOLD = Math.log2(ZERO_THRESHOLD);
/** Empty buckets between two others that are written down, rather than begin a new span. */
const LARGEST_GAP = 2;

const FIELDS = [
  { span: 12, delta: 13 },
  { span: 9, delta: 10 },
] as const;

/** False when the row's scale is too low for a schema. */
export function hasNativeForm({ values, stride }: MetricColumn, row: number): boolean {
  return values[row * stride + R.ROW_SCALE]! >= LOWEST_SCHEMA;
}

/** Writes a row that has a native form into an open `Histogram` message. */
export function writeNativeHistogram(writer: ProtobufWriter, column: MetricColumn, row: number): void {
  const { values, stride } = column;
  const at = row * stride;
  const scale = values[at + R.ROW_SCALE]!;
  const schema = Math.min(scale, HIGHEST_SCHEMA);
  // Buckets whose upper bound is not above the threshold.
  const lastZero = Math.floor(LOG2_ZERO_THRESHOLD * 2 ** schema);
  const ranges = [0, 1].map((range) => bucketsOf(column, at, range, scale - schema));
  let zeroCount = values[at + R.ROW_ZERO_COUNT]!;
  for (const buckets of ranges)
    for (const [index, count] of buckets) {
      if (index > lastZero) continue;
      zeroCount += count;
      buckets.delete(index);
    }
  writer.signed(5, schema);
  writer.double(6, ZERO_THRESHOLD);
  writer.integer(7, zeroCount);
  ranges.forEach((buckets, range) => writeBuckets(writer, buckets, FIELDS[range]!));
}

/** Counts that are not 0 by Prometheus's index, ascending. */
function bucketsOf(
  { values, description }: MetricColumn,
  at: number,
  range: number,
  change: number,
): Map<number, number> {
  const offset = values[at + R.ROW_RANGES + 2 * range]!;
  const length = values[at + R.ROW_RANGES + 2 * range + 1]!;
  const counts = at + R.ROW_COUNTS + range * description.size!;
  const buckets = new Map<number, number>();
  for (let i = 0; i < length; i++) {
    const count = values[counts + i]!;
    const index = R.coarserIndex(offset + i, change) + 1;
    if (count !== 0) buckets.set(index, (buckets.get(index) ?? 0) + count);
  }
  return buckets;
}

/** A span is a row of neighbours: how far from the one before, and how many. A delta is the difference to the bucket before. */
function writeBuckets(
  writer: ProtobufWriter,
  buckets: ReadonlyMap<number, number>,
  fields: (typeof FIELDS)[number],
): void {
  const spans: { offset: number; length: number }[] = [];
  const counts: number[] = [];
  let next = 0;
  for (const [index, count] of buckets) {
    const gap = index - next;
    const span = spans.at(-1);
    if (span === undefined || gap > LARGEST_GAP) spans.push({ offset: gap, length: 1 });
    else {
      for (let i = 0; i < gap; i++) counts.push(0);
      span.length += gap + 1;
    }
    counts.push(count);
    next = index + 1;
  }
  for (const { offset, length } of spans) {
    const message = writer.begin(fields.span);
    writer.signed(1, offset);
    writer.integer(2, length);
    writer.end(message);
  }
  let before = 0;
  for (const count of counts) {
    writer.signed(fields.delta, count - before);
    before = count;
  }
}
