/**
 * The request that OTLP pushes have as JSON, made of columns as `otlp-protobuf.ts` makes it: by the rules of
 * ProtoJSON, and the protocol's own exception that ids are hexadecimal. Numbers of 64 bits are texts, and so
 * are NaN and the infinities.
 */
import type { Attributes, HrTime } from '@opentelemetry/api';
import { hrTimeOf } from '../collect/hr-time.ts';
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
import { isInt64 } from './otlp-attributes.ts';
import { wellFormedUnicode } from './prometheus-name.ts';

const TEMPORALITY_DELTA = 1;
const TEMPORALITY_CUMULATIVE = 2;

const FIELDS: Readonly<Record<ColumnKind, string>> = {
  gauge: 'gauge',
  counter: 'sum',
  'up-down-counter': 'sum',
  histogram: 'histogram',
  'exponential-histogram': 'exponentialHistogram',
};

/** Makes one request after the other. Belongs to one reader, whose series it knows again. */
export class OtlpJson implements MetricSink<Uint8Array> {
  /** Attributes that were written before. The store has one object a series. */
  readonly #attributes = new WeakMap<Attributes, string>();
  #pieces: string[] = [];
  #column: MetricColumn | undefined; // whose metric is open
  #scope: ColumnScope | undefined;

  add(column: MetricColumn, endMillis: number): void {
    if (column !== this.#column) this.#openMetric(column);
    else this.#pieces.push(',');
    const end = nanosecondsText(hrTimeOf(endMillis));
    const points: string[] = [];
    for (let row = 0; row < column.rows; row++) points.push(this.#pointOf(column, row, end));
    this.#pieces.push(points.join(','));
  }

  end(resource: Resource): Uint8Array {
    this.#closeScope();
    const pieces = this.#pieces;
    this.#pieces = [];
    const schema = resource.schemaUrl === undefined ? '' : `,"schemaUrl":${stringText(resource.schemaUrl)}`;
    const attributes = attributesText(resource.attributes);
    return Buffer.from(
      `{"resourceMetrics":[{"resource":{"attributes":${attributes}},"scopeMetrics":[${pieces.join('')}]${schema}}]}`,
    );
  }

  #openMetric(column: MetricColumn): void {
    this.#closeMetric();
    const { scope, name, unit, kind } = column.description;
    if (scope === this.#scope) this.#pieces.push(',');
    else this.#openScope(scope);
    this.#column = column;
    const texts = `"name":${stringText(name)},"description":${stringText(column.text)},"unit":${stringText(unit)}`;
    this.#pieces.push(`{${texts},"${FIELDS[kind]}":{"dataPoints":[`);
  }

  #closeMetric(): void {
    if (this.#column === undefined) return;
    const { kind, isDelta } = this.#column.description;
    this.#column = undefined;
    const temporality = isDelta === true ? TEMPORALITY_DELTA : TEMPORALITY_CUMULATIVE;
    const ofSum = kind === 'counter' ? ',"isMonotonic":true' : '';
    const after = kind === 'gauge' ? '' : `,"aggregationTemporality":${temporality}${ofSum}`;
    this.#pieces.push(`]${after}}}`);
  }

  #openScope(scope: ColumnScope): void {
    if (this.#scope !== undefined) {
      this.#closeScope();
      this.#pieces.push(',');
    }
    this.#scope = scope;
    const { name, version = '', attributes } = scope;
    const more = attributes === undefined ? '' : `,"attributes":${attributesText(attributes)}`;
    this.#pieces.push(
      `{"scope":{"name":${stringText(name)},"version":${stringText(version)}${more}},"metrics":[`,
    );
  }

  #closeScope(): void {
    this.#closeMetric();
    if (this.#scope === undefined) return;
    const { schemaUrl } = this.#scope;
    this.#scope = undefined;
    this.#pieces.push(`]${schemaUrl === undefined ? '' : `,"schemaUrl":${stringText(schemaUrl)}`}}`);
  }

  #pointOf(column: MetricColumn, row: number, end: string): string {
    const { kind, integer } = column.description;
    const attributes = column.attributes[row]!;
    let written = this.#attributes.get(attributes);
    if (written === undefined) this.#attributes.set(attributes, (written = attributesText(attributes)));
    const exemplars = column.exemplars?.get(row)?.map((one) => exemplarText(one, integer === true));
    const value =
      kind === 'histogram'
        ? histogramText(column, row)
        : kind === 'exponential-histogram'
          ? exponentialText(column, row)
          : numberText(column.values[row]!, integer === true);
    return (
      `{"attributes":${written},"startTimeUnixNano":"${nanosecondsText(hrTimeOf(column.starts[row]!))}",` +
      `"timeUnixNano":"${end}",${value}${exemplars === undefined ? '' : `,"exemplars":[${exemplars.join(',')}]`}}`
    );
  }
}

function nanosecondsText([seconds, nanos]: HrTime): string {
  return seconds === 0 ? String(nanos) : `${seconds}${String(nanos).padStart(9, '0')}`;
}

/** A double. JSON has no NaN and no infinities; it has -0, which `String` has not. */
function doubleText(value: number): string {
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  return Number.isFinite(value) ? String(value) : `"${value}"`;
}

/** UTF-8 has no halves of surrogate pairs: a reader might refuse the whole request. */
const stringText = (text: string): string => JSON.stringify(wellFormedUnicode(text));

/** A whole number of 64 bits with all its digits, of which `String` prints as few as it can. */
const integerText = (value: number): string => `"${Number.isSafeInteger(value) ? value + 0 : BigInt(value)}"`;

function numberText(value: number, isInteger: boolean): string {
  return isInteger && isInt64(value) ? `"asInt":${integerText(value)}` : `"asDouble":${doubleText(value)}`;
}

function histogramText({ description, values, stride }: MetricColumn, row: number): string {
  const { boundaries, hasSum, hasMinMax, isDelta } = description;
  const from = row * stride;
  const counts: string[] = [];
  for (let i = 0; i <= boundaries.length; i++)
    counts.push(integerText(values[from + HISTOGRAM_ROW_BUCKETS + i]!));
  return (
    `"count":${integerText(values[from + HISTOGRAM_ROW_COUNT]!)}` +
    summaryText(values[from + HISTOGRAM_ROW_SUM]!, hasSum, isDelta === true) +
    extremesText(values[from + HISTOGRAM_ROW_MIN]!, values[from + HISTOGRAM_ROW_MAX]!, hasMinMax) +
    `,"bucketCounts":[${counts.join(',')}],"explicitBounds":[${boundaries.map(doubleText).join(',')}]`
  );
}

function exponentialText({ description, values, stride }: MetricColumn, row: number): string {
  const { hasSum, hasMinMax, isDelta, maxSize = 0 } = description;
  const from = row * stride;
  const ranges = ['positive', 'negative'].map((name, range) => {
    const length = values[from + exponential.ROW_RANGES + 2 * range + 1]!;
    const first = from + exponential.ROW_COUNTS + range * maxSize;
    const counts = Array.from({ length }, (_, i) => integerText(values[first + i]!));
    const offset = values[from + exponential.ROW_RANGES + 2 * range]!;
    return `,"${name}":{"offset":${offset},"bucketCounts":[${counts.join(',')}]}`;
  });
  return (
    `"count":${integerText(values[from + exponential.ROW_COUNT]!)}` +
    summaryText(values[from + exponential.ROW_SUM]!, hasSum, isDelta === true) +
    extremesText(values[from + exponential.ROW_MIN]!, values[from + exponential.ROW_MAX]!, hasMinMax) +
    `,"scale":${values[from + exponential.ROW_SCALE]!},"zeroCount":${integerText(values[from + exponential.ROW_ZERO_COUNT]!)}` +
    ranges.join('')
  );
}

/** The sum of a delta that is NaN is not known. */
function summaryText(sum: number, hasSum: boolean, isDelta: boolean): string {
  return !hasSum || (isDelta && Number.isNaN(sum)) ? '' : `,"sum":${doubleText(sum)}`;
}

function extremesText(min: number, max: number, hasMinMax: boolean): string {
  return hasMinMax && !Number.isNaN(min) ? `,"min":${doubleText(min)},"max":${doubleText(max)}` : '';
}

function exemplarText(exemplar: Exemplar, isInteger: boolean): string {
  const { value, timestamp, traceId, spanId, filteredAttributes } = exemplar;
  const ids =
    (spanId === undefined ? '' : `,"spanId":"${spanId}"`) +
    (traceId === undefined ? '' : `,"traceId":"${traceId}"`);
  return `{"timeUnixNano":"${nanosecondsText(timestamp)}",${numberText(value, isInteger)}${ids},"filteredAttributes":${attributesText(filteredAttributes)}}`;
}

function attributesText(attributes: Attributes): string {
  const pairs = Object.entries(attributes).map(
    ([key, value]) => `{"key":${stringText(key)},"value":${anyValueText(value)}}`,
  );
  return `[${pairs.join(',')}]`;
}

/** An `AnyValue`: whole numbers as integers, as official exporters do; empty for what it cannot hold. */
function anyValueText(value: unknown): string {
  if (typeof value === 'string') return `{"stringValue":${stringText(value)}}`;
  if (typeof value === 'boolean') return `{"boolValue":${value}}`;
  if (typeof value === 'number')
    return isInt64(value) ? `{"intValue":${integerText(value)}}` : `{"doubleValue":${doubleText(value)}}`;
  if (value instanceof Uint8Array) return `{"bytesValue":"${Buffer.from(value).toString('base64')}"}`;
  if (Array.isArray(value)) return `{"arrayValue":{"values":[${value.map(anyValueText).join(',')}]}}`;
  if (typeof value === 'object' && value !== null)
    return `{"kvlistValue":{"values":${attributesText(value as Attributes)}}}`;
  return '{}';
}
