/** forceFlush, shutdown and the readers' own metrics, with official readers and exporters. */
import { ExportResultCode, type ExportResult } from '@opentelemetry/core';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  PeriodicExportingMetricReader,
  type IMetricReader,
  type PushMetricExporter,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics';
import { expect } from 'chai';
import { SeqlockMeterProvider } from '../../src/index.ts';
import { TestReader } from '../support/readers.ts';
import { collectWarnings } from '../support/warnings.ts';
import { endThreads, Thread } from '../support/threads.ts';

const HOUR = 3_600_000;

const failureOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'it did not fail',
    (error: unknown) => error,
  );

/** An exporter whose exports end as it is told. */
class ToldExporter implements PushMetricExporter {
  readonly exported: ResourceMetrics[] = [];
  readonly #result: ExportResult | undefined;

  /** Without a result, exports never end. */
  constructor(result?: ExportResult) {
    this.#result = result;
  }

  export(metrics: ResourceMetrics, done: (result: ExportResult) => void): void {
    this.exported.push(metrics);
    if (this.#result !== undefined) done(this.#result);
  }

  async forceFlush(): Promise<void> {}
  async shutdown(): Promise<void> {}
}

const failing = (message: string): PeriodicExportingMetricReader =>
  new PeriodicExportingMetricReader({
    exporter: new ToldExporter({ code: ExportResultCode.FAILED, error: new Error(message) }),
    exportIntervalMillis: HOUR,
  });

/** Rejects, or never ends. */
class BadReader extends TestReader {
  readonly #fails: boolean;

  constructor(fails: boolean) {
    super();
    this.#fails = fails;
  }

  override forceFlush(): Promise<void> {
    return this.#fails ? Promise.reject(new Error('bad reader')) : new Promise(() => {});
  }

  override shutdown(): Promise<void> {
    return this.forceFlush();
  }
}

function valuesOf({ scopeMetrics }: ResourceMetrics): unknown[] {
  return scopeMetrics.flatMap(({ metrics }) =>
    metrics.flatMap(({ dataPoints }) => dataPoints.map(({ value }) => value)),
  );
}

describe('the readers of a provider', () => {
  afterEach(endThreads);

  it('have an export that failed reported, by forceFlush and by shutdown, and none that went well', async () => {
    const { warnings, stop } = collectWarnings();
    const good = new ToldExporter({ code: ExportResultCode.SUCCESS });
    const readers = [
      failing('no such host'),
      new PeriodicExportingMetricReader({ exporter: good, exportIntervalMillis: HOUR }),
    ];
    const provider = new SeqlockMeterProvider({ readers });
    await provider.forceFlush(); // nothing to export
    provider.getMeter('m').createCounter('c').add(1);
    for (let i = 1; i <= 2; i++) {
      expect(String(await failureOf(provider.forceFlush()))).to.match(/no such host/);
      expect(good.exported).to.have.length(i);
    }
    expect(await failureOf(provider.shutdown()), 'which nobody has to catch').to.equal('it did not fail');
    stop();
    expect(warnings.join()).to.match(/last export.*no such host/);
    expect(good.exported).to.have.length(3);
    expect(provider.store.closed).to.equal(true);
    expect(await failureOf(provider.shutdown()), 'a second time').to.equal('it did not fail');
  });

  it('are all asked and waited for, though some fail; several errors come as one', async () => {
    let flushed = 0;
    class SlowReader extends TestReader {
      protected override async onForceFlush(): Promise<void> {
        await new Promise((resolve) => setTimeout(resolve, 20));
        flushed++;
      }
    }
    const provider = new SeqlockMeterProvider({
      readers: [new BadReader(true), new SlowReader(), failing('no such host')],
    });
    provider.getMeter('m').createCounter('c').add(1);
    const failure = (await failureOf(provider.forceFlush())) as AggregateError;
    expect(flushed).to.equal(1);
    expect(failure).to.be.instanceOf(AggregateError);
    expect(failure.errors).to.have.length(2);
    expect(failure.message).to.match(/^2 of 3 metric readers could not be flushed.*bad reader.*no such host/);
    await failureOf(provider.shutdown());
  });

  it('that keep to no time-out are held to it', async () => {
    const exporter = new ToldExporter({ code: ExportResultCode.SUCCESS });
    const push = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: HOUR });
    const provider = new SeqlockMeterProvider({ readers: [new BadReader(false), push] });
    provider.getMeter('m').createCounter('c').add(1);
    expect(await failureOf(provider.forceFlush({ timeoutMillis: 30 }))).to.include({ code: 'E_TIMEOUT' });
    expect(await failureOf(provider.shutdown({ timeoutMillis: 30 }))).to.include({ code: 'E_TIMEOUT' });
    expect(exporter.exported, 'of the other reader').to.have.length(2);
    expect(provider.store.closed).to.equal(true);
  });

  it('export at shutdown what was recorded last, in this thread and in others', async () => {
    const exporters = [AggregationTemporality.DELTA, AggregationTemporality.CUMULATIVE].map(
      (temporality) => new InMemoryMetricExporter(temporality),
    );
    const exported = exporters.map((): unknown[] => []);
    exporters.forEach((exporter, i) => {
      const { export: real } = exporter;
      exporter.export = (metrics, done) => {
        exported[i]!.push(valuesOf(metrics));
        real.call(exporter, metrics, done);
      };
    });
    const provider = new SeqlockMeterProvider({
      readers: exporters.map(
        (exporter) => new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: HOUR }),
      ),
    });
    const counter = provider.getMeter('threads').createCounter('c');
    const thread = new Thread();
    const inThread = (value: number): Promise<unknown> =>
      thread.ask({ do: 'record', recordings: [{ kind: 'counter', name: 'c', values: [value], times: 1 }] });
    counter.add(1);
    await inThread(10);
    await provider.forceFlush();
    await inThread(200);
    counter.add(5);
    const shutdown = provider.shutdown();
    counter.add(0.5); // after shutdown was called, before anything was collected: may or may not be in it
    await shutdown;
    const [delta, cumulative] = exported as [number[][], number[][]];
    expect(delta.map(([value]) => Math.floor(value!))).to.deep.equal([11, 205]);
    expect(cumulative.map(([value]) => Math.floor(value!))).to.deep.equal([11, 216]);
    await thread.terminate();
  });

  it('hand over what failed in CollectionResult.errors, with all else', async () => {
    const reader = new TestReader();
    const provider = new SeqlockMeterProvider({ readers: [reader] });
    const meter = provider.getMeter('m');
    const error = new Error('on purpose');
    meter.createCounter('c').add(1);
    meter.createObservableGauge('bad').addCallback(() => Promise.reject(error));
    const { resourceMetrics, errors } = await reader.collect();
    expect(errors).to.deep.equal([error]);
    expect(valuesOf(resourceMetrics)).to.deep.equal([1]);
    await provider.shutdown();
  });

  it('that cannot measure themselves are measured, with sdkMetricsEnabled', async () => {
    for (const sdkMetricsEnabled of [true, false]) {
      const reader = new TestReader();
      Object.assign(reader, { _setSelfObsMeterProvider: undefined }); // as in older releases of the official SDK
      const provider = new SeqlockMeterProvider({ readers: [reader] as IMetricReader[], sdkMetricsEnabled });
      let fails = false;
      provider
        .getMeter('m')
        .createObservableGauge('g')
        .addCallback(() => {
          if (fails) throw new RangeError('on purpose');
        });
      await reader.collect();
      fails = true;
      await reader.collect();
      const { resourceMetrics } = await reader.collect();
      const points = resourceMetrics.scopeMetrics.flatMap(({ metrics }) =>
        metrics.flatMap(({ descriptor, dataPoints }) => {
          expect(descriptor).to.include({ name: 'otel.sdk.metric_reader.collection.duration', unit: 's' });
          return dataPoints.map(({ attributes, value }) => {
            expect(attributes['otel.component.name']).to.match(/^TestReader\/\d+$/);
            return [
              attributes['otel.component.type'],
              attributes['error.type'],
              (value as { count: number }).count,
            ];
          });
        }),
      );
      expect(points).to.deep.equal(
        sdkMetricsEnabled
          ? [
              ['TestReader', undefined, 1],
              ['TestReader', 'RangeError', 1],
            ]
          : [],
      );
      await provider.shutdown();
    }
  });
});
