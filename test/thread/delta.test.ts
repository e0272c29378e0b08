/** Deltas that the exporter thread pushes. */
import { expect } from 'chai';
import type { Worker } from 'node:worker_threads';
import { findMetric } from '../../examples/demo/otlp-read.ts';
import {
  startOtlpReceiver,
  type HistogramDataPoint,
  type OtlpReceiver,
} from '../../examples/demo/otlp-receiver.ts';
import { SeqlockMeterProvider, startExporterThread, type ExporterThread } from '../../src/index.ts';
import { endThreads, Thread } from '../support/threads.ts';
import { collectWarnings } from '../support/warnings.ts';

describe('deltas of the exporter thread', () => {
  let provider: SeqlockMeterProvider;
  let receiver: OtlpReceiver;
  let exporter: ExporterThread | undefined;
  let workers: Worker[];
  const noteWorker = (worker: Worker): void => void workers.push(worker);
  beforeEach(async () => {
    provider = new SeqlockMeterProvider();
    receiver = await startOtlpReceiver();
    workers = [];
    process.on('worker', noteWorker);
  });
  afterEach(async () => {
    process.off('worker', noteWorker);
    await exporter?.stop({ timeoutMillis: 5000 });
    await endThreads();
    await provider.shutdown();
    await receiver.close();
  });

  const start = (): Promise<ExporterThread> =>
    startExporterThread({ otlp: { url: `${receiver.url}/p`, temporality: 'delta' }, lastExport: false });
  /** Of each push that has one. */
  const histograms = (): HistogramDataPoint[] =>
    receiver.inbox('/p').requests.flatMap((request) => findMetric(request, 'h')?.histogram?.dataPoints ?? []);

  it('have the extremes of each interval, whichever thread recorded', async () => {
    const starting = start(); // not waited for: it is enough to have asked for it
    const histogram = provider.getMeter('threads').createHistogram('h');
    exporter = await starting;
    const thread = new Thread();
    for (const values of [[5, 70], [30], [8, 9]]) {
      histogram.record(values[0]!);
      await thread.ask({ do: 'record', recordings: [{ kind: 'histogram', name: 'h', values, times: 1 }] });
      await exporter.forceFlush();
    }
    expect(histograms().map((point) => [Number(point.count), point.min, point.max])).to.deep.equal([
      [3, 5, 70],
      [2, 30, 30],
      [3, 8, 9],
    ]);
  });

  it('have none where the instrument was there before, which is warned of', async () => {
    const { warnings, stop } = collectWarnings();
    const histogram = provider.getMeter('threads').createHistogram('h');
    histogram.record(5);
    exporter = await start();
    await exporter.forceFlush();
    histogram.record(7);
    await exporter.forceFlush();
    await exporter.stop();
    stop();
    expect(histograms().map((point) => [Number(point.count), point.min, point.max])).to.deep.equal([
      [1, 5, 5],
      [1, undefined, undefined],
    ]);
    expect(warnings.length).to.equal(1);
    expect(warnings[0]).to.include('histogram h of meter threads').and.include('before the instruments');
  });
});
