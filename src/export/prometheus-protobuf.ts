/**
 * The Prometheus protobuf format: a sequence of length-delimited `io.prometheus.client.MetricFamily`. It is
 * made for each scrape, in pieces, since few scrapers ask for it.
 *
 * An exponential histogram is written as a native histogram and with classic buckets, as Prometheus's own
 * client library does. The server's configuration decides which it keeps.
 */
import type { Warnings } from '../base/warnings.ts';
import { hrTimeOf } from '../collect/hr-time.ts';
import type { MetricColumn, MetricColumns } from '../collect/rows/column.ts';
import { HISTOGRAM_ROW_BUCKETS, HISTOGRAM_ROW_COUNT, HISTOGRAM_ROW_SUM } from '../collect/rows/histogram.ts';
import type { Exemplar } from '../collect/metric-data.ts';
import { shortText } from '../base/errors.ts';
import { ClassicColumns } from './classic-buckets.ts';
import { exemplarLabels, newestByBucket } from './exemplar-text.ts';
import { planFamilies, targetAttributes, type ExpositionOptions, type PlannedFamily } from './family-plan.ts';
import { hashOfLabels, LabelIndex } from './label-index.ts';
import { SharedLabels, type LabelPair, type LabelWriter } from './label-text.ts';
import { wellFormed, type EscapingScheme } from './prometheus-name.ts';
import { reasonAgainstNative, writeNativeHistogram } from './native-histogram.ts';
import { ProtobufWriter } from './protobuf-writer.ts';
import { canAdd, sumOf, type ColumnRow } from './summed-rows.ts';
import { labelWriterOf, sharedLabels, textContext, type TextContext } from './text-family.ts';

const NO_EXEMPLARS: ReadonlyMap<number, Exemplar> = new Map<number, Exemplar>();

const TYPE_NUMBERS = { counter: 0, gauge: 1, unknown: 3, histogram: 4, info: 1 } as const;

/** How many series are written between two pauses. */
const SERIES_BETWEEN_PAUSES = 32;

/**
 * All families of a snapshot, one Buffer each. Undefined is a pause, in which other work may be done. The
 * columns must not change before the end.
 */
export function* prometheusProtobuf(
  source: MetricColumns,
  escaping: EscapingScheme,
  options: ExpositionOptions,
  warnings: Warnings,
): Generator<Buffer | undefined> {
  const { attributes } = source.resource;
  const dialect = { openMetrics: false, escaping };
  const plan = planFamilies(source, dialect, options, warnings);
  const context = textContext(attributes, dialect, options, warnings);
  if (plan.targetInfo !== undefined) {
    const writer = openFamily(plan.targetInfo);
    const metric = writer.begin(4);
    writeLabels(writer, context.labels.pairs(targetAttributes(attributes, options), new SharedLabels()));
    const gauge = writer.begin(2);
    writer.double(1, 1);
    writer.end(gauge);
    writer.end(metric);
    yield writer.delimited();
  }
  for (const family of plan.families)
    if (family.columns.some(({ rows }) => rows > 0)) yield* familyOf(family, context);
}

function openFamily({ sampleName, type, help, unit }: PlannedFamily): ProtobufWriter {
  const writer = new ProtobufWriter();
  writer.string(1, sampleName);
  if (help !== '') writer.string(2, wellFormed(help));
  writer.integer(3, TYPE_NUMBERS[type]);
  if (unit !== '') writer.string(5, unit);
  return writer;
}

function* familyOf(family: PlannedFamily, context: TextContext): Generator<Buffer | undefined> {
  const writer = openFamily(family);
  const index = new LabelIndex();
  const texts: string[] = [];
  const classicColumns = new ClassicColumns();
  for (const column of family.columns) {
    const labelsOf = labelsOfColumn(column, family, context);
    const classic = classicColumns.of(column);
    for (let row = 0; row < column.rows; row++) {
      const pairs = labelsOf(row);
      const text = JSON.stringify(pairs);
      if (index.add(hashOfLabels(text), texts.length, (earlier) => texts[earlier] === text) !== -1) {
        yield familyOfSums(family, context); // start again: the earlier series is written already
        return;
      }
      texts.push(text);
      writeSeries(writer, pairs, { column, classic, row }, context);
      if (texts.length % SERIES_BETWEEN_PAUSES === 0) yield undefined;
    }
  }
  yield writer.delimited();
}

/** Series that have the same labels. If they can be added up, they are written as one. */
interface SameLabels {
  readonly pairs: readonly LabelPair[];
  readonly rows: [ColumnRow, ...ColumnRow[]];
  /** The same rows with `le` buckets. */
  readonly classics: [ColumnRow, ...ColumnRow[]];
}

/** A family in which series have the same labels. It is rare, and made without a pause. */
function familyOfSums(family: PlannedFamily, context: TextContext): Buffer {
  const classicColumns = new ClassicColumns();
  const series = new Map<string, SameLabels>();
  for (const column of family.columns) {
    const labelsOf = labelsOfColumn(column, family, context);
    const classic = classicColumns.of(column);
    for (let row = 0; row < column.rows; row++) {
      const pairs = labelsOf(row);
      const text = JSON.stringify(pairs);
      const same = series.get(text);
      if (same === undefined) {
        series.set(text, { pairs, rows: [{ column, row }], classics: [{ column: classic, row }] });
        continue;
      }
      const isAdded =
        canAdd(same.rows[0].column.description, column.description) &&
        canAdd(same.classics[0].column.description, classic.description);
      if (isAdded) {
        same.rows.push({ column, row });
        same.classics.push({ column: classic, row });
      }
      context.warnings[isAdded ? 'once' : 'loss'](
        'same labels',
        `${family.sampleName} ${text.slice(0, 200)}`,
        `two series of ${family.sampleName} have the same labels ${text.slice(0, 200)}: ${isAdded ? 'their sum is shown' : 'the second is left out'}. Give them attributes that stay different as labels`,
      );
    }
  }
  const writer = openFamily(family);
  for (const { pairs, rows, classics } of series.values()) {
    const isOne = rows.length === 1;
    const { column, row } = isOne ? rows[0] : { column: sumOf(rows), row: 0 };
    const isExponential = classics[0].column !== rows[0].column;
    const classic = !isExponential ? column : isOne ? classics[0].column : sumOf(classics);
    writeSeries(writer, pairs, { column, classic, row }, context);
  }
  return writer.delimited();
}

/** The labels of a column's rows, those of its scope and resource first. */
function labelsOfColumn(
  { description, attributes }: MetricColumn,
  { type }: PlannedFamily,
  context: TextContext,
): (row: number) => LabelPair[] {
  const shared = sharedLabels(description.scope, type === 'histogram', context);
  const labels = labelWriterOf(description.scope, context);
  return (row) => labels.pairs(attributes[row]!, shared);
}

function writeLabels(writer: ProtobufWriter, pairs: readonly LabelPair[]): void {
  for (const { name, value } of pairs) {
    const pair = writer.begin(1);
    writer.string(1, name);
    writer.string(2, value);
    writer.end(pair);
  }
}

/** A row, and its column with `le` buckets, or the column itself if it is not exponential. */
interface WrittenRow extends ColumnRow {
  readonly classic: MetricColumn;
}

function writeSeries(
  writer: ProtobufWriter,
  pairs: readonly LabelPair[],
  row: WrittenRow,
  context: TextContext,
): void {
  const metric = writer.begin(4);
  writeLabels(writer, pairs);
  writeValue(writer, row, context);
  writer.end(metric);
}

function writeValue(
  writer: ProtobufWriter,
  { column, classic, row }: WrittenRow,
  { options: { created }, labels, warnings }: TextContext,
): void {
  const { kind, boundaries } = classic.description;
  const start = created === false ? undefined : column.starts[row];
  // Gauges have no place for them.
  const ofRow = kind === 'counter' || kind === 'histogram' ? column.exemplars?.get(row) : undefined;
  const exemplars = ofRow === undefined ? NO_EXEMPLARS : newestByBucket(ofRow, boundaries);
  if (kind === 'histogram') {
    const histogram = writer.begin(7);
    histogramOf(writer, classic, row, (bucket) => writeExemplar(writer, exemplars.get(bucket), 3, labels));
    const isNative = column !== classic && isWrittenNatively(writer, column, row, warnings);
    if (start !== undefined) writeTimestamp(writer, 15, hrTimeOf(start));
    // Native buckets are too many to have an exemplar each: the histogram has a list.
    if (isNative)
      for (const exemplar of [...(ofRow ?? [])].sort(byTime)) writeExemplar(writer, exemplar, 16, labels);
    writer.end(histogram);
    return;
  }
  const message = writer.begin(kind === 'counter' ? 3 : 2);
  writer.double(1, column.values[row]!);
  writeExemplar(writer, exemplars.get(0), 2, labels);
  if (kind === 'counter' && start !== undefined) writeTimestamp(writer, 3, hrTimeOf(start));
  writer.end(message);
}

function histogramOf(
  writer: ProtobufWriter,
  { description, values, stride }: MetricColumn,
  row: number,
  writeBucketExemplar: (bucket: number) => void,
): void {
  const from = row * stride;
  writer.integer(1, values[from + HISTOGRAM_ROW_COUNT]!);
  // A message without a sum would be read as one of 0.
  writer.double(2, description.hasSum ? values[from + HISTOGRAM_ROW_SUM]! : NaN);
  let total = 0;
  [...description.boundaries, Infinity].forEach((bound, i) => {
    total =
      bound === Infinity
        ? values[from + HISTOGRAM_ROW_COUNT]!
        : total + values[from + HISTOGRAM_ROW_BUCKETS + i]!;
    const bucket = writer.begin(3);
    writer.integer(1, total);
    writer.double(2, bound);
    writeBucketExemplar(i);
    writer.end(bucket);
  });
}

/** False for a histogram that has no native form. */
function isWrittenNatively(
  writer: ProtobufWriter,
  column: MetricColumn,
  row: number,
  warnings: Warnings,
): boolean {
  const reason = reasonAgainstNative(column, row);
  if (reason === undefined) writeNativeHistogram(writer, column, row);
  else
    warnings.once(
      'native histogram',
      column.description.name,
      `metric ${shortText(column.description.name)} ${reason}`,
    );
  return reason === undefined;
}

/** Prometheus takes exemplars in this order only. */
function byTime({ timestamp: [seconds, nanos] }: Exemplar, { timestamp: other }: Exemplar): number {
  return seconds - other[0] || nanos - other[1];
}

function writeExemplar(
  writer: ProtobufWriter,
  exemplar: Exemplar | undefined,
  field: number,
  labels: LabelWriter,
): void {
  if (exemplar === undefined) return;
  const message = writer.begin(field);
  writeLabels(writer, exemplarLabels(exemplar, labels));
  writer.double(2, exemplar.value);
  writeTimestamp(writer, 3, exemplar.timestamp);
  writer.end(message);
}

function writeTimestamp(
  writer: ProtobufWriter,
  field: number,
  [seconds, nanos]: readonly [number, number],
): void {
  const timestamp = writer.begin(field);
  writer.integer(1, seconds);
  writer.integer(2, nanos);
  writer.end(timestamp);
}
