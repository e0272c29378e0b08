/**
 * The request that OTLP pushes have as protobuf (`ExportMetricsServiceRequest` of opentelemetry-proto 1.x),
 * made of columns: rows go from the columns into bytes, without an object in between.
 *
 *   ExportMetricsServiceRequest
 *     ResourceMetrics      resource, and for each scope
 *       ScopeMetrics       scope, and for each column
 *         Metric           its description, and for each row
 *           data point     attributes as they were written the first time, times, numbers
 */
import type { Attributes, HrTime } from '@opentelemetry/api';
import type { Exemplar, Resource } from '../collect/metric-data.ts';
import type { MetricSink } from '../collect/metric-source.ts';
import type { ColumnKind, ColumnScope, MetricColumn } from '../collect/rows/column.ts';
import * as exponential from '../collect/rows/exponential.ts';
import {
  HISTOGRAM_ROW_BUCKETS,
  HISTOGRAM_ROW_COUNT,
  HISTOGRAM_ROW_MAX,
  HISTOGRAM_ROW_MIN,
  HISTOGRAM_ROW_SUM,
} from '../collect/rows/histogram.ts';
import { isInt64, writeAttributes } from './otlp-attributes.ts';
import { nanosecondsOf, OtlpTimes, OtlpWriter } from './otlp-writer.ts';

const TEMPORALITY_DELTA = 1;
const TEMPORALITY_CUMULATIVE = 2;

/** Tags of fields: field number * 8 + wire type (0 varint, 1 of 64 bits, 2 with a length). */
const tag = (field: number, wireType: 0 | 1 | 2): number => field * 8 + wireType;

/** Where the three kinds of data points have what they have in common. */
interface PointFields {
  /** Of the kind, in a `Metric`. */
  readonly metric: number;
  readonly attributes: number;
  readonly exemplars: number;
}
const NUMBER = { attributes: tag(7, 2), exemplars: tag(5, 2) };
const FIELDS: Readonly<Record<ColumnKind, PointFields>> = {
  gauge: { metric: tag(5, 2), ...NUMBER },
  counter: { metric: tag(7, 2), ...NUMBER },
  'up-down-counter': { metric: tag(7, 2), ...NUMBER },
  histogram: { metric: tag(9, 2), attributes: tag(9, 2), exemplars: tag(8, 2) },
  'exponential-histogram': { metric: tag(10, 2), attributes: tag(1, 2), exemplars: tag(11, 2) },
};
const POINTS = tag(1, 2);
const START_TIME = tag(2, 1);
const TIME = tag(3, 1);

/** Bytes of a data point besides attributes, exemplars, counts and bounds, at most. */
const POINT_BYTES = 160;

/** Makes one request after the other. Belongs to one reader, whose series it knows again. */
export class OtlpProtobuf implements MetricSink<Uint8Array<ArrayBuffer>> {
  readonly #writer = new OtlpWriter();
  readonly #starts = new OtlpTimes();
  readonly #ends = new OtlpTimes();
  /** Attributes that were written before, by the tag of their field. The store has one object a series. */
  readonly #attributes = new Map<number, WeakMap<Attributes, Uint8Array>>();
  readonly #bounds = new WeakMap<readonly number[], Uint8Array>();
  #column: MetricColumn | undefined; // whose metric is open
  #scope: ColumnScope | undefined;
  #hasBegun = false;
  #requestStart = 0;
  #scopeStart = 0;
  #metricStart = 0;
  #dataStart = 0;

  add(column: MetricColumn, endMillis: number): void {
    if (column !== this.#column) this.#openMetric(column);
    const { rows, description } = column;
    const fields = FIELDS[description.kind];
    const known = this.#knownAttributes(fields.attributes);
    for (let row = 0; row < rows; row++) this.#writePoint(column, row, endMillis, fields, known);
  }

  /**
   * The request, in memory that the next one is written to. The resource comes last: nobody knows it before,
   * and the order of fields means nothing.
   */
  end(resource: Resource): Uint8Array<ArrayBuffer> {
    this.#closeScope();
    this.#beginRequest();
    this.#hasBegun = false;
    const writer = this.#writer;
    const inner = writer.begin(tag(1, 2));
    writeAttributes(writer, tag(1, 2), resource.attributes);
    writer.end(inner);
    if (resource.schemaUrl !== undefined) writer.text(tag(3, 2), resource.schemaUrl);
    writer.end(this.#requestStart);
    return writer.written();
  }

  #beginRequest(): void {
    if (this.#hasBegun) return;
    this.#hasBegun = true;
    this.#writer.clear();
    this.#requestStart = this.#writer.begin(tag(1, 2));
  }

  #openMetric(column: MetricColumn): void {
    this.#beginRequest();
    this.#closeMetric();
    const writer = this.#writer;
    const { scope, name, unit, kind } = column.description;
    if (scope !== this.#scope) this.#openScope(scope);
    this.#column = column;
    this.#metricStart = writer.begin(tag(2, 2));
    writer.text(tag(1, 2), name);
    if (column.text !== '') writer.text(tag(2, 2), column.text);
    if (unit !== '') writer.text(tag(3, 2), unit);
    this.#dataStart = writer.begin(FIELDS[kind].metric);
  }

  #closeMetric(): void {
    if (this.#column === undefined) return;
    const writer = this.#writer;
    const { kind, isDelta } = this.#column.description;
    this.#column = undefined;
    writer.reserve(4);
    if (kind !== 'gauge') {
      writer.byte(tag(2, 0));
      writer.byte(isDelta === true ? TEMPORALITY_DELTA : TEMPORALITY_CUMULATIVE);
    }
    if (kind === 'counter') {
      writer.byte(tag(3, 0));
      writer.byte(1);
    }
    writer.end(this.#dataStart);
    writer.end(this.#metricStart);
  }

  #openScope(scope: ColumnScope): void {
    this.#closeScope();
    const writer = this.#writer;
    this.#scope = scope;
    this.#scopeStart = writer.begin(tag(2, 2));
    const message = writer.begin(tag(1, 2));
    writer.text(tag(1, 2), scope.name);
    if (scope.version !== undefined && scope.version !== '') writer.text(tag(2, 2), scope.version);
    if (scope.attributes !== undefined) writeAttributes(writer, tag(3, 2), scope.attributes);
    writer.end(message);
  }

  #closeScope(): void {
    this.#closeMetric();
    if (this.#scope === undefined) return;
    const { schemaUrl } = this.#scope;
    if (schemaUrl !== undefined && schemaUrl !== '') this.#writer.text(tag(3, 2), schemaUrl);
    this.#writer.end(this.#scopeStart);
    this.#scope = undefined;
  }

  #writePoint(
    column: MetricColumn,
    row: number,
    endMillis: number,
    { attributes: attributesTag, exemplars: exemplarsTag }: PointFields,
    known: WeakMap<Attributes, Uint8Array>,
  ): void {
    const writer = this.#writer;
    const { kind, integer, boundaries } = column.description;
    const attributes = column.attributes[row]!;
    const written = known.get(attributes) ?? this.#writtenAttributes(attributes, attributesTag, known);
    writer.reserve(written.length + POINT_BYTES + 16 * boundaries.length);
    const point = writer.begin(POINTS);
    writer.byte(START_TIME);
    writer.time(this.#starts.of(column.starts[row]!));
    writer.byte(TIME);
    writer.time(this.#ends.of(endMillis));
    writer.raw(written);
    if (kind === 'histogram') this.#writeHistogram(column, row);
    else if (kind === 'exponential-histogram') writeExponential(writer, column, row);
    else writeNumber(writer, column.values[row]!, integer === true, tag(6, 1), tag(4, 1));
    const exemplars = column.exemplars?.get(row);
    if (exemplars !== undefined)
      for (const exemplar of exemplars) writeExemplar(writer, exemplarsTag, exemplar, integer === true);
    writer.end(point);
  }

  #writeHistogram({ description, values, stride }: MetricColumn, row: number): void {
    const writer = this.#writer;
    const { boundaries, hasSum, hasMinMax, isDelta } = description;
    const from = row * stride;
    writer.byte(tag(4, 1));
    writer.fixed64(values[from + HISTOGRAM_ROW_COUNT]!);
    const sum = values[from + HISTOGRAM_ROW_SUM]!;
    writeSummary(writer, tag(5, 1), hasSum && !(isDelta === true && Number.isNaN(sum)), sum);
    const min = values[from + HISTOGRAM_ROW_MIN]!;
    const hasExtremes = hasMinMax && !Number.isNaN(min);
    writeSummary(writer, tag(11, 1), hasExtremes, min);
    writeSummary(writer, tag(12, 1), hasExtremes, values[from + HISTOGRAM_ROW_MAX]!);
    writer.byte(tag(6, 2));
    writer.varint(8 * (boundaries.length + 1));
    for (let i = 0; i <= boundaries.length; i++) writer.fixed64(values[from + HISTOGRAM_ROW_BUCKETS + i]!);
    writer.raw(this.#bounds.get(boundaries) ?? this.#writtenBounds(boundaries));
  }

  #knownAttributes(field: number): WeakMap<Attributes, Uint8Array> {
    let known = this.#attributes.get(field);
    if (known === undefined) this.#attributes.set(field, (known = new WeakMap()));
    return known;
  }

  #writtenAttributes(
    attributes: Attributes,
    field: number,
    known: WeakMap<Attributes, Uint8Array>,
  ): Uint8Array {
    const start = this.#writer.at;
    writeAttributes(this.#writer, field, attributes);
    const written = this.#writer.cut(start);
    known.set(attributes, written);
    return written;
  }

  #writtenBounds(boundaries: readonly number[]): Uint8Array {
    const writer = this.#writer;
    const start = writer.at;
    writer.reserve(12 + 8 * boundaries.length);
    if (boundaries.length > 0) {
      writer.byte(tag(7, 2));
      writer.varint(8 * boundaries.length);
      for (const bound of boundaries) writer.double(bound);
    }
    const written = writer.cut(start);
    this.#bounds.set(boundaries, written);
    writer.reserve(written.length);
    return written;
  }
}

function writeNumber(
  writer: OtlpWriter,
  value: number,
  isInteger: boolean,
  integerTag: number,
  doubleTag: number,
): void {
  if (isInteger && isInt64(value)) {
    writer.byte(integerTag);
    writer.fixed64(value);
  } else {
    writer.byte(doubleTag);
    writer.double(value);
  }
}

/** A number that a message has or has not. */
function writeSummary(writer: OtlpWriter, field: number, isThere: boolean, value: number): void {
  if (!isThere) return;
  writer.byte(field);
  writer.double(value);
}

function writeExponential(
  writer: OtlpWriter,
  { description, values, stride }: MetricColumn,
  row: number,
): void {
  const { hasSum, hasMinMax, isDelta, maxSize = 0 } = description;
  const from = row * stride;
  writer.byte(tag(4, 1));
  writer.fixed64(values[from + exponential.ROW_COUNT]!);
  const sum = values[from + exponential.ROW_SUM]!;
  writeSummary(writer, tag(5, 1), hasSum && !(isDelta === true && Number.isNaN(sum)), sum);
  writer.byte(tag(6, 0));
  writer.varint(zigzag(values[from + exponential.ROW_SCALE]!));
  writer.byte(tag(7, 1));
  writer.fixed64(values[from + exponential.ROW_ZERO_COUNT]!);
  const min = values[from + exponential.ROW_MIN]!;
  const hasExtremes = hasMinMax && !Number.isNaN(min);
  writeSummary(writer, tag(12, 1), hasExtremes, min);
  writeSummary(writer, tag(13, 1), hasExtremes, values[from + exponential.ROW_MAX]!);
  for (let range = 0; range < 2; range++) {
    const offset = values[from + exponential.ROW_RANGES + 2 * range]!;
    const length = values[from + exponential.ROW_RANGES + 2 * range + 1]!;
    const counts = from + exponential.ROW_COUNTS + range * maxSize;
    writer.reserve(48 + 10 * length);
    const buckets = writer.begin(tag(8 + range, 2));
    writer.byte(tag(1, 0));
    writer.varint(zigzag(offset));
    const packed = writer.begin(tag(2, 2));
    for (let i = 0; i < length; i++) writer.varint(values[counts + i]!);
    writer.end(packed);
    writer.end(buckets);
  }
  writer.reserve(POINT_BYTES);
}

const zigzag = (value: number): number => (value < 0 ? -2 * value - 1 : 2 * value);

function writeExemplar(writer: OtlpWriter, field: number, exemplar: Exemplar, isInteger: boolean): void {
  const { value, timestamp, traceId, spanId, filteredAttributes } = exemplar;
  const message = writer.begin(field);
  writer.reserve(64);
  writer.byte(tag(2, 1));
  writer.time(nanosecondsOf(...(timestamp satisfies HrTime)));
  writeNumber(writer, value, isInteger, tag(6, 1), tag(3, 1));
  if (spanId !== undefined) writer.bytes(tag(4, 2), Buffer.from(spanId, 'hex'));
  if (traceId !== undefined) writer.bytes(tag(5, 2), Buffer.from(traceId, 'hex'));
  writeAttributes(writer, tag(7, 2), filteredAttributes);
  writer.end(message);
}
