/** What the official readers and exporters make of what this SDK hands over. */
import { ExportResultCode } from '@opentelemetry/core';
import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { JsonMetricsSerializer, ProtobufMetricsSerializer } from '@opentelemetry/otlp-transformer';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
  type IMetricReader,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics';
import { expect } from 'chai';
import type { Meter } from '@opentelemetry/api';
import { systemClock } from '../../../src/base/platform.ts';
import { SeqlockMeterProvider, SeqlockMetricProducer, SeqlockMetricReader } from '../../../src/index.ts';
import { TestReader } from '../../support/readers.ts';
import { collectWarnings } from '../../support/warnings.ts';

const resource = { attributes: { 'service.name': 'hand-over' } };

function record(meter: Meter): void {
  meter
    .createCounter('requests', { unit: '{request}', description: 'text' })
    .add(3, { route: '/a', list: ['x', 'y'], ok: true });
  meter.createUpDownCounter('level').add(-1.5);
  meter.createGauge('heat', { valueType: 0 }).record(7);
  meter.createGauge('odd').record(NaN);
  meter.createHistogram('time', { advice: { explicitBucketBoundaries: [1, 10] } }).record(5, { n: 1 });
}

async function collected(): Promise<{ ours: ResourceMetrics; official: ResourceMetrics }> {
  const realNow = Date.now;
  const realClock = systemClock.now;
  Date.now = systemClock.now = () => 1_790_000_000_000;
  try {
    const readers = [new TestReader(), new TestReader()] as const;
    const providers = [
      new SeqlockMeterProvider({ readers: [readers[0]], resource }),
      new MeterProvider({ readers: [readers[1]], resource: resource as never }),
    ];
    for (const provider of providers)
      record(provider.getMeter('m', '1.0', { schemaUrl: 'https://example.com' }));
    const [ours, official] = await Promise.all(readers.map((reader) => reader.collect()));
    await Promise.all(providers.map((provider) => provider.shutdown()));
    return { ours: ours!.resourceMetrics, official: official!.resourceMetrics };
  } finally {
    Date.now = realNow;
    systemClock.now = realClock;
  }
}

describe('hand-over to official readers and exporters', () => {
  it('gives the same OTLP protobuf, byte for byte, as the official SDK but for the order of attributes', async () => {
    const { ours, official } = await collected();
    sortAttributes(official);
    const bytes = ProtobufMetricsSerializer.serializeRequest(ours)!;
    expect(bytes.length).to.be.above(200);
    expect(Buffer.from(bytes)).to.deep.equal(
      Buffer.from(ProtobufMetricsSerializer.serializeRequest(official)!),
    );
  });

  it('gives the same OTLP JSON', async () => {
    const { ours, official } = await collected();
    sortAttributes(official);
    const json = Buffer.from(JsonMetricsSerializer.serializeRequest(ours)!).toString();
    expect(json).to.equal(Buffer.from(JsonMetricsSerializer.serializeRequest(official)!).toString());
    const metrics = (
      JSON.parse(json) as { resourceMetrics: { scopeMetrics: { metrics: { name: string }[] }[] }[] }
    ).resourceMetrics[0]!.scopeMetrics[0]!.metrics;
    expect(metrics.map(({ name }) => name)).to.deep.equal(['requests', 'level', 'heat', 'odd', 'time']);
    expect(metrics[4])
      .to.have.nested.property('histogram.dataPoints[0].bucketCounts')
      .that.deep.equals([0, 1, 0]);
  });

  it('gives the same Prometheus text', async () => {
    const { ours, official } = await collected();
    sortAttributes(official);
    const serializer = new PrometheusSerializer();
    expect(serializer.serialize(ours)).to.equal(serializer.serialize(official));
    expect(serializer.serialize(ours)).to.match(/^requests_total\{.*route="\/a".*\} 3$/m);
  });

  it('is taken by PeriodicExportingMetricReader, on forceFlush and once more on shutdown', async () => {
    const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
    const provider = new SeqlockMeterProvider({
      readers: [new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })],
      resource,
    });
    record(provider.getMeter('m'));
    await provider.forceFlush();
    expect(exporter.getMetrics()).to.have.length(1);
    let onShutdown = 0;
    const exported = exporter.export.bind(exporter);
    exporter.export = (metrics, callback) => {
      onShutdown += metrics.scopeMetrics[0]!.metrics.length;
      exported(metrics, callback);
    };
    await provider.shutdown();
    expect(onShutdown).to.equal(5);
  });

  it('says so when an exporter fails', async () => {
    const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
    exporter.export = (_metrics, callback) =>
      callback({ code: ExportResultCode.FAILED, error: new Error('on purpose') });
    exporter.forceFlush = () => Promise.reject(new Error('flush failed on purpose'));
    const provider = new SeqlockMeterProvider({
      readers: [new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })],
    });
    provider.getMeter('m').createCounter('c').add(1);
    const failure = await provider.forceFlush().then(
      () => undefined,
      (error: Error) => error.message,
    );
    expect(failure).to.equal('flush failed on purpose');
    exporter.forceFlush = () => Promise.resolve();
    const { warnings, stop } = collectWarnings();
    await provider.shutdown();
    stop();
    expect(warnings.join()).to.match(/the last export of a reader failed: .*on purpose/);
  });

  it('is taken by PrometheusExporter', async () => {
    const exporter = new PrometheusExporter({ preventServerStart: true });
    const provider = new SeqlockMeterProvider({ readers: [exporter], resource });
    record(provider.getMeter('m'));
    const { resourceMetrics, errors } = await exporter.collect();
    expect(errors).to.deep.equal([]);
    expect(resourceMetrics.scopeMetrics[0]!.metrics.map(({ descriptor }) => descriptor.name)).to.deep.equal([
      'requests',
      'level',
      'heat',
      'odd',
      'time',
    ]);
    await provider.shutdown().catch(() => {}); // its server was never started
    expect(provider.store.closed).to.equal(true);
  });

  it('a reader cannot be attached twice, and keeps its first provider', async () => {
    for (const reader of [new SeqlockMetricReader(), new TestReader()] as IMetricReader[]) {
      const provider = new SeqlockMeterProvider({ readers: [reader] });
      expect(() => new SeqlockMeterProvider({ readers: [reader] })).to.throw(
        /can not be bound|has a provider already/,
      );
      expect(() => new SeqlockMeterProvider({ readers: [reader, reader] })).to.throw(
        /can not be bound|has a provider already/,
      );
      provider.getMeter('m').createCounter('c').add(1);
      expect((await reader.collect()).resourceMetrics.scopeMetrics).to.have.length(1);
      await provider.shutdown();
    }
  });

  it('SeqlockMetricProducer feeds a reader of the official SDK beside its own metrics', async () => {
    const seqlock = new SeqlockMeterProvider();
    seqlock.getMeter('ours').createCounter('c').add(5);
    const reader = new TestReader({ metricProducers: [new SeqlockMetricProducer(seqlock.store)] });
    const official = new MeterProvider({ readers: [reader] });
    official.getMeter('theirs').createCounter('d').add(1);
    const { resourceMetrics, errors } = await reader.collect();
    expect(errors).to.deep.equal([]);
    expect(
      resourceMetrics.scopeMetrics.map(({ scope, metrics }) => [
        scope.name,
        metrics[0]!.dataPoints[0]!.value,
      ]),
    ).to.deep.equal([
      ['theirs', 1],
      ['ours', 5],
    ]);
    await official.shutdown();
    await seqlock.shutdown();
  });

  it('sdkMetricsEnabled has readers measure themselves, PrometheusExporter too', async () => {
    const exporter = new PrometheusExporter({ preventServerStart: true });
    for (const reader of [new TestReader(), exporter] as IMetricReader[]) {
      for (const sdkMetricsEnabled of [false, true]) {
        const one = sdkMetricsEnabled ? reader : new TestReader();
        const provider = new SeqlockMeterProvider({ readers: [one], sdkMetricsEnabled });
        await one.collect();
        const { resourceMetrics } = await one.collect();
        const names = resourceMetrics.scopeMetrics.flatMap(({ metrics }) =>
          metrics.map(({ descriptor }) => descriptor.name),
        );
        expect(names).to.deep.equal(sdkMetricsEnabled ? ['otel.sdk.metric_reader.collection.duration'] : []);
        await provider.shutdown().catch(() => {});
      }
    }
  });

  it('gives pull and push, cumulative and delta readers of one provider each its own', async () => {
    const exporter = new InMemoryMetricExporter(AggregationTemporality.DELTA);
    const push = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
    const pull = new SeqlockMetricReader();
    const prometheus = new PrometheusExporter({ preventServerStart: true });
    const byKind = new TestReader({
      aggregationTemporalitySelector: (kind) =>
        String(kind) === 'COUNTER' ? AggregationTemporality.DELTA : AggregationTemporality.CUMULATIVE,
    });
    const provider = new SeqlockMeterProvider({ readers: [push, pull, prometheus, byKind] });
    const meter = provider.getMeter('m');
    const counter = meter.createCounter('c');
    const upDown = meter.createUpDownCounter('u');
    const valuesOf = ({ scopeMetrics }: ResourceMetrics): unknown =>
      scopeMetrics.flatMap(({ metrics }) =>
        metrics.map(({ aggregationTemporality, dataPoints }) => [
          aggregationTemporality,
          ...dataPoints.map(({ value }) => value),
        ]),
      );
    for (let i = 1; i <= 3; i++) {
      counter.add(5);
      upDown.add(-1);
      pull.snapshot(); // without effect on any reader
      exporter.reset();
      await push.forceFlush();
      expect(valuesOf(exporter.getMetrics()[0]!), 'delta').to.deep.equal([
        [0, 5],
        [0, -1],
      ]);
      for (const reader of [pull, prometheus] as IMetricReader[]) {
        const { resourceMetrics } = await reader.collect();
        expect(valuesOf(resourceMetrics), 'cumulative').to.deep.equal([
          [1, 5 * i],
          [1, -i],
        ]);
      }
    }
    expect(valuesOf((await byKind.collect()).resourceMetrics)).to.deep.equal([
      [0, 15],
      [1, -3],
    ]);
    expect(valuesOf((await byKind.collect()).resourceMetrics)).to.deep.equal([[1, -3]]);
    exporter.reset();
    await push.forceFlush();
    expect(exporter.getMetrics(), 'nothing new, nothing exported').to.deep.equal([]);
    await provider.shutdown();
  });
});

function sortAttributes({ scopeMetrics }: ResourceMetrics): void {
  for (const { metrics } of scopeMetrics)
    for (const { dataPoints } of metrics)
      for (const point of dataPoints as { attributes: object }[])
        point.attributes = Object.fromEntries(
          Object.entries(point.attributes).sort(([a], [b]) => (a < b ? -1 : 1)),
        );
}
