import { context, trace } from '@opentelemetry/api';
import { ProtobufMetricsSerializer } from '@opentelemetry/otlp-transformer';
import { AggregationType } from '@opentelemetry/sdk-metrics';
import { expect } from 'chai';
import * as fc from 'fast-check';
import type { DataPoint, Resource, ResourceMetrics } from '../../src/collect/metric-data.ts';
import { MetricSource, type MetricSink } from '../../src/collect/metric-source.ts';
import type { MetricColumn } from '../../src/collect/rows/column.ts';
import { DataPoints } from '../../src/export/data-points.ts';
import { columnsOf } from '../../src/export/foreign-metrics.ts';
import { OtlpJson } from '../../src/export/otlp-json.ts';
import { OtlpProtobuf } from '../../src/export/otlp-protobuf.ts';
import { MetricStore, SeqlockMeterProvider } from '../../src/index.ts';
import { decodedJson, decodedRequest } from '../support/otlp-schema.ts';
import { randomMetrics, randomOf } from './random-metrics.ts';

/** More by `npm run test:otlp`. */
const RUNS = Number(process.env['SEQLOCK_OTLP_RUNS'] ?? 200);

interface Written {
  readonly ours: Uint8Array;
  readonly json: Uint8Array;
  readonly official: ResourceMetrics;
}

/** Gives each row to our encoders and, as objects, to the official one. */
class Both implements MetricSink<Written> {
  readonly #ours = new OtlpProtobuf();
  readonly #json = new OtlpJson();
  readonly #points = new DataPoints();

  add(column: MetricColumn, endMillis: number): void {
    this.#ours.add(column, endMillis);
    this.#json.add(column, endMillis);
    this.#points.add(column, endMillis);
  }

  end(resource: Resource): Written {
    return {
      ours: this.#ours.end(resource),
      json: this.#json.end(resource),
      official: this.#points.end(resource),
    };
  }
}

interface DecodedPoint {
  exemplars: {
    trace_id: string;
    span_id: string;
    as_int?: string;
    as_double?: number | string;
    time_unix_nano: string;
  }[];
}
interface DecodedRequest {
  resource_metrics: { scope_metrics: { metrics: Record<string, { data_points: DecodedPoint[] }>[] }[] }[];
}

/** The exemplars of all points, taken out. The official serializer leaves them out. */
function exemplarsOutOf(request: DecodedRequest): DecodedPoint['exemplars'][] {
  return request.resource_metrics
    .flatMap((resource) => resource.scope_metrics.flatMap(({ metrics }) => metrics))
    .flatMap((metric) => metric[metric['data'] as unknown as string]!.data_points)
    .map((point) => {
      const { exemplars } = point;
      point.exemplars = [];
      return exemplars;
    });
}

const base64 = (id = ''): string => Buffer.from(id, 'hex').toString('base64');

function expectSame({ ours, json, official }: Written): void {
  expect(decodedJson(json)).to.deep.equal(decodedRequest(ours));
  const decoded = decodedRequest(ours) as DecodedRequest;
  const exemplars = exemplarsOutOf(decoded);
  expect(decoded).to.deep.equal(
    decodedRequest(ProtobufMetricsSerializer.serializeRequest(official as never)!),
  );
  const points = official.scopeMetrics.flatMap(({ metrics }) =>
    metrics.flatMap(({ dataPoints }) => [...dataPoints] as DataPoint<unknown>[]),
  );
  const written = exemplars.map((ofPoint) =>
    ofPoint.map(({ trace_id, span_id, as_int, as_double, time_unix_nano }) => [
      trace_id,
      span_id,
      Number(as_int ?? as_double),
      time_unix_nano,
    ]),
  );
  expect(written).to.deep.equal(
    points.map((point) =>
      (point.exemplars ?? []).map(({ traceId, spanId, value, timestamp: [seconds, nanos] }) => [
        base64(traceId),
        base64(spanId),
        value,
        String(BigInt(seconds) * 1_000_000_000n + BigInt(nanos)),
      ]),
    ),
  );
}

describe('OtlpProtobuf and OtlpJson', () => {
  const store = MetricStore.create();
  const provider = new SeqlockMeterProvider({
    store,
    exemplarFilter: 'always_on',
    views: [
      {
        instrumentName: 'exp*',
        aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM, options: { maxSize: 8 } },
      },
      {
        instrumentName: 'bare',
        aggregation: {
          type: AggregationType.EXPLICIT_BUCKET_HISTOGRAM,
          options: { boundaries: [], recordMinMax: false },
        },
      },
      {
        instrumentName: 'narrow',
        attributesProcessors: [{ process: ({ a }: { a?: unknown }) => ({ ...(a !== undefined && { a }) }) }],
      },
    ] as never[],
  });
  const meters = [
    provider.getMeter('one', '1.2', { schemaUrl: 'https://example.org/schema' }),
    provider.getMeter('two'),
  ];
  after(() => store.close());

  const deltas = new MetricSource(store, {
    deltaKinds: new Set(['COUNTER', 'HISTOGRAM', 'OBSERVABLE_COUNTER']),
    resource: {
      attributes: { 'service.name': 'shop', list: ['a', 'b'], n: 5, x: 0.5, yes: true },
      schemaUrl: 'https://example.org/r',
    },
  });
  const totals = new MetricSource(store, { resource: { attributes: {} } });
  const [intoDeltas, intoTotals] = [new Both(), new Both()];

  const measurement = fc.record({
    meter: fc.constantFrom(...meters),
    what: fc.constantFrom(
      'counter',
      'integers',
      'balance',
      'gauge',
      'histogram',
      'exp',
      'exp.positive',
      'bare',
      'narrow',
    ),
    value: fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 }),
      fc.integer({ min: -3, max: 1000 }),
      fc.constantFrom(0, -0, 2 ** 40, 2 ** 53, 1e-300),
    ),
    attributes: fc.dictionary(
      fc.constantFrom('a', 'ключ'),
      fc.constantFrom<unknown>(
        '',
        'x',
        '\u00e9',
        0,
        -7,
        2 ** 53,
        -(2 ** 60),
        0.5,
        true,
        ['p', 'q'],
        [1, 2.5],
      ),
      { maxKeys: 3 },
    ),
    isTraced: fc.boolean(),
  });

  function record(
    meter: (typeof meters)[number],
    what: string,
    value: number,
    attributes: object,
    traced: boolean,
  ): void {
    const span = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: 1 };
    const active = traced ? trace.setSpanContext(context.active(), span) : context.active();
    const given = attributes as never;
    switch (what) {
      case 'counter':
        return meter
          .createCounter('counter', { unit: 's', description: 'Counts' })
          .add(Math.abs(value), given, active);
      case 'integers':
        return meter
          .createCounter('integers', { valueType: 0 })
          .add(Math.trunc(Math.abs(value)), given, active);
      case 'balance':
        return meter.createUpDownCounter('balance').add(value, given, active);
      case 'gauge':
        return meter.createGauge('gauge').record(value, given, active);
      case 'narrow':
        return meter.createCounter('narrow').add(Math.abs(value), given, active);
      default:
        return meter.createHistogram(what).record(Math.abs(value), given, active);
    }
  }

  it('write what the official serializer writes, of totals and of deltas', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(measurement, { maxLength: 30 }), async (measurements) => {
        for (const { meter, what, value, attributes, isTraced } of measurements)
          record(meter, what, value, attributes, isTraced);
        expectSame((await deltas.collect(undefined, intoDeltas)).taken);
        expectSame((await totals.collect(undefined, intoTotals)).taken);
      }),
      { numRuns: RUNS / 2, includeErrorInReport: true },
    );
  }).timeout(60_000 + 20 * RUNS);

  it('write what the official serializer writes, of hostile names, attributes and numbers', () => {
    const into = new Both();
    for (let seed = 1; seed <= RUNS; seed++) {
      const { resource, columns } = columnsOf(randomMetrics(randomOf(seed)), () => {});
      for (const column of columns) into.add(column, 1_700_000_000_123.25 + seed);
      expectSame(into.end(resource));
    }
  }).timeout(60_000 + 20 * RUNS);

  it('writes nothing of a snapshot that could not be read to its end', async () => {
    record(meters[0]!, 'gauge', 1, {}, false);
    record(meters[1]!, 'gauge', 1, {}, false);
    const sink = new OtlpProtobuf();
    const add = sink.add.bind(sink);
    let calls = 0;
    sink.add = (column, endMillis) => {
      if (++calls === 2) throw new Error('no memory');
      add(column, endMillis);
    };
    const source = new MetricSource(store, { resource: { attributes: {} } });
    const failure = await source.collect(undefined, sink).catch((error: Error) => error.message);
    expect(failure).to.equal('no memory');
    const { taken } = await source.collect(undefined, sink);
    const whole = await source.collect(undefined, new OtlpProtobuf());
    const pointsIn = (bytes: Uint8Array): number =>
      exemplarsOutOf(decodedRequest(bytes) as DecodedRequest).length;
    expect(pointsIn(taken)).to.equal(pointsIn(whole.taken)).and.above(1);
  });
});
