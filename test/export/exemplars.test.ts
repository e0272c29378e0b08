/** Exemplars in every format that has them, and in none that has not. */
import { expect } from 'chai';
import * as fc from 'fast-check';
import { millisOf } from '../../src/collect/hr-time.ts';
import { MetricColumn, type MetricColumns } from '../../src/collect/rows/column.ts';
import { histogramLayout } from '../../src/collect/rows/histogram.ts';
import { columnsOf } from '../../src/export/foreign-metrics.ts';
import type { Exemplar } from '../../src/collect/metric-data.ts';
import { newestByBucket } from '../../src/export/exemplar-text.ts';
import type { Dialect, ExpositionOptions } from '../../src/export/family-plan.ts';
import { PrometheusText } from '../../src/export/prometheus-text.ts';
import { parseStrictly } from './strict-parser.ts';

const OPEN: Dialect = { openMetrics: true, escaping: 'underscores' };
const BARE: ExpositionOptions = { scopeInfoEnabled: false, targetInfoEnabled: false, created: false };
const TRACE = '0123456789abcdef0123456789abcdef';
const SPAN = '0123456789abcdef';
const START: [number, number] = [1_700_000_000, 0];

function exemplar(value: number, seconds = 0, filteredAttributes: Record<string, unknown> = {}): Exemplar {
  return {
    filteredAttributes: filteredAttributes as Exemplar['filteredAttributes'],
    value,
    timestamp: [1_700_000_000 + seconds, 250_000_000],
    traceId: TRACE,
    spanId: SPAN,
  };
}

/** A counter `c`, a histogram `h` and a gauge `g` of one series each, with the same exemplars. */
function source(exemplars: readonly Exemplar[]): MetricColumns {
  const point = (value: unknown) => ({ startTime: START, endTime: START, attributes: {}, value, exemplars });
  const metric = (name: string, dataPointType: number, value: unknown) => ({
    descriptor: { name, description: '', unit: '' },
    aggregationTemporality: 1,
    dataPointType,
    isMonotonic: true,
    dataPoints: [point(value)],
  });
  const buckets = { boundaries: [1, 10], counts: [1, 2, 3] };
  const metrics = [metric('c', 3, 6), metric('h', 0, { count: 6, sum: 99, buckets }), metric('g', 2, 1)];
  return columnsOf(
    { resource: { attributes: {} }, scopeMetrics: [{ scope: { name: '' }, metrics }] } as never,
    () => {},
  );
}

function textOf(from: MetricColumns, dialect: Dialect = OPEN): string {
  const text = new PrometheusText(dialect, BARE);
  text.update(from);
  return text.toString();
}

const IDS = `trace_id="${TRACE}",span_id="${SPAN}"`;

describe('exemplars in OpenMetrics', () => {
  it('stand behind counters and behind the bucket they fell into', () => {
    expect(textOf(source([exemplar(0.5), exemplar(1), exemplar(70)])).split('\n')).to.deep.equal([
      '# TYPE c counter',
      `c_total 6 # {${IDS}} 70 1700000000.25`,
      '# TYPE h histogram',
      `h_bucket{le="1.0"} 1 # {${IDS}} 1 1700000000.25`,
      'h_bucket{le="10.0"} 3',
      `h_bucket{le="+Inf"} 6 # {${IDS}} 70 1700000000.25`,
      'h_sum 99',
      'h_count 6',
      '# TYPE g gauge',
      'g 1',
      '# EOF',
      '',
    ]);
  });

  it('are the newest of each bucket', () => {
    const [first] = parseStrictly(
      textOf(source([exemplar(0.1, 2), exemplar(0.2, 9), exemplar(0.3, 5)])),
      'openmetrics',
    ).get('h')!.samples;
    expect(first!.exemplar).to.deep.include({ value: 0.2, time: 1_700_000_009.25 });
  });

  it('have filtered attributes after the ids, translated like others, and never in their place', () => {
    const [sample] = parseStrictly(
      textOf(source([exemplar(1, 0, { 'user.id': 7, trace_id: 'mine', span_id: 'too', quote: '"\n' })])),
      'openmetrics',
    ).get('c')!.samples;
    expect(Object.entries(sample!.exemplar!.labels)).to.deep.equal([
      ['trace_id', TRACE],
      ['span_id', SPAN],
      ['exported_span_id', 'too'],
      ['exported_trace_id', 'mine'],
      ['quote', '"\n'],
      ['user_id', '7'],
    ]);
  });

  it('have 128 characters at most: attributes that fit, whole ones', () => {
    const left = 128 - 'trace_id'.length - 32 - 'span_id'.length - 16;
    const labels = (attributes: Record<string, unknown>) =>
      parseStrictly(textOf(source([exemplar(1, 0, attributes)])), 'openmetrics').get('c')!.samples[0]!
        .exemplar!.labels;
    expect(labels({ k: '😀'.repeat(left - 1) })).to.have.property('k');
    expect(labels({ k: '😀'.repeat(left), l: 'fits' })).to.not.have.property('k');
    expect(labels({ k: 'x'.repeat(left), l: 'fits' })).to.have.property('l', 'fits');
  });

  it('need no span', () => {
    const { traceId: _, spanId: __, ...bare } = exemplar(3);
    expect(textOf(source([bare]))).to.include('c_total 6 # {} 3 1700000000.25\n');
  });

  it('stand in no other text', () => {
    for (const escaping of ['underscores', 'allow-utf-8'] as const) {
      const text = textOf(source([exemplar(1)]), { openMetrics: false, escaping });
      expect(text).to.include('c_total 6\n').and.not.include(TRACE);
    }
  });

  it('a kept page shows as one made anew would, whatever changes', () => {
    const attributesOf = Array.from({ length: 40 }, (_, i) => ({ i: 'x'.repeat(i) }));
    const rows = fc.array(
      fc.record({
        row: fc.nat(39),
        value: fc.oneof(fc.nat(3), fc.nat(1e9), fc.double({ min: 0, noNaN: true, noDefaultInfinity: true })),
        exemplar: fc.option(fc.tuple(fc.nat(20), fc.nat(9), fc.string({ maxLength: 40 })), {
          nil: undefined,
        }),
      }),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(fc.array(rows, { maxLength: 6 }), fc.boolean(), (rounds, held) => {
        const histogram = new MetricColumn(
          { scope: { name: '' }, name: 'h', unit: '', ...histogramLayout([1, 10], true, true) },
          '',
        );
        const columns: MetricColumns = { resource: { attributes: {} }, columns: [histogram] };
        const values = attributesOf.map(() => [0, 0, 0, 0, 0, 0, 0]);
        const exemplars = new Map<number, Exemplar[]>();
        const kept = new PrometheusText(OPEN, BARE);
        let body: { pieces: readonly Buffer[]; before: string; release(): void } | undefined;
        rounds.forEach((changes, round) => {
          for (const { row, value, exemplar: chosen } of changes) {
            values[row]![0]! += value;
            values[row]![6]! += value;
            if (chosen === undefined) exemplars.delete(row);
            else
              exemplars.set(row, [
                exemplar(chosen[0], chosen[1], { text: chosen[2] }),
                ...(exemplars.get(row) ?? []).slice(0, 2),
              ]);
          }
          histogram.clear();
          // New rows have the last chunk written anew; every other round has none.
          attributesOf.slice(0, 20 + 8 * (round >> 1)).forEach((attributes, row) => {
            const at = histogram.open();
            histogram.values.set(values[row]!, at);
            histogram.close(attributes, millisOf(START), exemplars.get(row));
          });
          kept.update({ ...columns }); // another snapshot
          expect(kept.toString()).to.equal(textOf(columns));
          if (body !== undefined) {
            expect(Buffer.concat(body.pieces).toString()).to.equal(body.before);
            body.release();
          }
          if (held) body = { ...kept.body(), before: kept.toString() };
        });
      }),
      { numRuns: 200 },
    );
  });

  it('newestByBucket puts a value where the histogram does: bounds are inclusive', () => {
    expect(
      [...newestByBucket([exemplar(1), exemplar(1.5), exemplar(10), exemplar(11)], [1, 10])].map(
        ([bucket, { value }]) => [bucket, value],
      ),
    ).to.deep.equal([
      [0, 1],
      [1, 10],
      [2, 11],
    ]);
  });
});
