/**
 * Exponential histograms as native histograms of the Prometheus protobuf format (OpenTelemetry specification,
 * compatibility with Prometheus): fields 5 to 13 of `io.prometheus.client.Histogram`.
 *
 * Prometheus numbers a bucket by its upper bound where OpenTelemetry numbers it by its lower one, so its
 * indices are one higher. Its schemas are our scales from -4 to 8: finer histograms are brought down to 8;
 * coarser ones have no native form.
 */
import type { MetricColumn } from '../collect/rows/column.ts';
import * as exponentialRow from '../collect/rows/exponential.ts';
import type { ProtobufWriter } from './protobuf-writer.ts';

const HIGHEST_SCHEMA = 8;
const LOWEST_SCHEMA = -4;
/**
 * Values up to this count as zeros. OpenTelemetry has no such width, and Prometheus needs one (specification:
 * this value).
 */
const ZERO_THRESHOLD = 1e-128;
const LOG2_ZERO_THRESHOLD = Math.log2(ZERO_THRESHOLD);
/** How many empty buckets between two others are written instead of beginning a new span. */
const LARGEST_GAP = 2;

const FIELDS = [
  { span: 12, delta: 13 },
  { span: 9, delta: 10 },
] as const;

/** Why a row has no native form; undefined if it has one (specification, exponential histograms). */
export function reasonAgainstNative(
  { values, stride, description }: MetricColumn,
  row: number,
): string | undefined {
  if (!description.hasSum)
    return 'has no sum, since its instrument may record negative values. A Prometheus native histogram needs one, so the metric is exported with classic buckets alone. Use a Histogram instrument for it';
  if (values[row * stride + exponentialRow.ROW_SCALE]! < LOWEST_SCHEMA)
    return 'has values too far apart for a Prometheus native histogram (its scale is below -4), so it is exported with classic buckets alone. Raise maxSize of its aggregation';
  return undefined;
}

/** Writes a row that has a native form into an open `Histogram` message. */
export function writeNativeHistogram(writer: ProtobufWriter, column: MetricColumn, row: number): void {
  const { values, stride } = column;
  const at = row * stride;
  const scale = values[at + exponentialRow.ROW_SCALE]!;
  const schema = Math.min(scale, HIGHEST_SCHEMA);
  // The number of buckets whose upper bound is not above the threshold.
  const lastZero = Math.floor(LOG2_ZERO_THRESHOLD * 2 ** schema);
  for (const [range, buckets] of RANGES.entries()) buckets.fill(column, at, range, scale - schema);
  const zeros = RANGES.reduce((sum, buckets) => sum + buckets.takeUpTo(lastZero), 0);
  writer.signed(5, schema);
  writer.double(6, ZERO_THRESHOLD);
  writer.integer(7, values[at + exponentialRow.ROW_ZERO_COUNT]! + zeros);
  for (const [range, { span, delta }] of FIELDS.entries()) {
    RANGES[range]!.writeSpans(writer, span);
    RANGES[range]!.writeDeltas(writer, delta);
  }
}

/**
 * The counts of a range by Prometheus's index. They are written as spans of neighbouring buckets: the
 * distance to the span before, and the length. Each bucket of a span is written as the difference to the
 * bucket before it.
 */
class Buckets {
  #counts = new Float64Array(160);
  #first = 0; // index of the first of them
  #length = 0;

  /** Takes the counts of a row's range, at a scale that is lower by `change`. */
  fill({ values, description }: MetricColumn, at: number, range: number, change: number): void {
    const offset = values[at + exponentialRow.ROW_RANGES + 2 * range]!;
    const length = values[at + exponentialRow.ROW_RANGES + 2 * range + 1]!;
    const from = at + exponentialRow.ROW_COUNTS + range * description.maxSize!;
    if (this.#counts.length < length) this.#counts = new Float64Array(2 * length);
    const first = exponentialRow.coarserIndex(offset, change);
    this.#first = first + 1;
    this.#length = length === 0 ? 0 : exponentialRow.coarserIndex(offset + length - 1, change) - first + 1;
    this.#counts.fill(0, 0, this.#length);
    for (let i = 0; i < length; i++)
      this.#counts[exponentialRow.coarserIndex(offset + i, change) - first]! += values[from + i]!;
  }

  /** Removes the buckets up to `last`, and returns their sum. */
  takeUpTo(last: number): number {
    let taken = 0;
    const end = Math.min(last - this.#first + 1, this.#length);
    for (let i = 0; i < end; i++) {
      taken += this.#counts[i]!;
      this.#counts[i] = 0;
    }
    return taken;
  }

  writeSpans(writer: ProtobufWriter, field: number): void {
    let next = -this.#first; // the first span's distance is that from index 0
    for (let i = this.#next(0); i < this.#length;) {
      const start = i;
      i = this.#endOfSpan(start);
      const message = writer.begin(field);
      writer.signed(1, start - next);
      writer.integer(2, i - start);
      writer.end(message);
      next = i;
      i = this.#next(i);
    }
  }

  writeDeltas(writer: ProtobufWriter, field: number): void {
    let before = 0;
    for (let i = this.#next(0); i < this.#length; i = this.#next(i))
      for (const end = this.#endOfSpan(i); i < end; i++) {
        const count = this.#counts[i]!;
        writer.signed(field, count - before);
        before = count;
      }
  }

  /** The first bucket from `i` on that is not empty, or the end. */
  #next(i: number): number {
    let next = i;
    while (next < this.#length && this.#counts[next] === 0) next++;
    return next;
  }

  /** Where the span that begins at `start` ends: before a gap of more than LARGEST_GAP empty buckets. */
  #endOfSpan(start: number): number {
    for (let end = start + 1; ;) {
      const next = this.#next(end);
      if (next === this.#length || next - end > LARGEST_GAP) return end;
      end = next + 1;
    }
  }
}

/** Reused from row to row: positive and negative buckets. */
const RANGES: readonly Buckets[] = [new Buckets(), new Buckets()];
