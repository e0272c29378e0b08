/** Deltas that the exporter thread pushes. */
import { expect } from 'chai';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Worker } from 'node:worker_threads';
import { attributesOf, findMetric, otlpTotal } from '../../examples/demo/otlp-read.ts';
import {
  startOtlpReceiver,
  type HistogramDataPoint,
  type OtlpReceiver,
  type OtlpRequest,
} from '../../examples/demo/otlp-receiver.ts';
import {
  SeqlockMeterProvider,
  startExporterThread,
  type ExporterThread,
  type OtlpPushOptions,
} from '../../src/index.ts';
import { eventually } from '../support/eventually.ts';
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

  const start = (otlp: OtlpPushOptions = {}): Promise<ExporterThread> =>
    startExporterThread({
      otlp: { url: `${receiver.url}/p`, temporality: 'delta', ...otlp },
      lastExport: false,
    });
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

  describe('when it dies', () => {
    /** Resolves when another is on its way. */
    const kill = async (): Promise<void> => {
      await workers.at(-1)!.terminate();
    };

    it('go on with the next where threads exceed a cardinality limit together', async () => {
      await provider.shutdown();
      provider = new SeqlockMeterProvider({
        views: [{ instrumentName: 'c', aggregationCardinalityLimit: 10 }],
      });
      const thread = new Thread();
      exporter = await start();
      const counter = provider.getMeter('threads').createCounter('c');
      const told: Record<string, number[]> = {};
      for (let round = 0; round < 4; round++) {
        // The exporter meets the thread's sets first. The next one reads the main thread's directory first.
        const sets = Array.from({ length: 7 }, (_, set) => ({
          kind: 'counter' as const,
          name: 'c',
          attributes: { set: `thread ${set}` },
          values: [1],
          times: 1,
        }));
        await thread.ask({ do: 'record', recordings: sets });
        if (round === 0) await exporter.forceFlush();
        for (let set = 0; set < 7; set++) counter.add(1, { set: `main ${set}` });
        if (round === 2) await kill();
        await exporter.forceFlush();
      }
      const { requests } = receiver.inbox('/p');
      for (const request of requests)
        for (const point of findMetric(request, 'c')?.sum?.dataPoints ?? []) {
          const set = (attributesOf(point.attributes)['set'] as string | undefined) ?? 'overflow';
          (told[set] ??= []).push(Number(point.asDouble));
        }
      expect(workers.length).to.equal(3); // the thread, and two exporters
      expect(Object.keys(told)).to.have.length(11);
      expect(Object.keys(told)).to.include('thread 6');
      for (const [set, deltas] of Object.entries(told))
        expect(deltas, set).to.deep.equal(set === 'overflow' ? [4, 4, 4, 4] : [1, 1, 1, 1]);
    });

    it('between pushes, go on with the next: nothing is lost, nothing told twice', async () => {
      exporter = await start();
      const meter = provider.getMeter('m');
      const counter = meter.createCounter('c');
      const level = meter.createUpDownCounter('level');
      const histogram = meter.createHistogram('h');
      let observed = 0;
      meter
        .createObservableCounter('o')
        .addCallback((result) => result.observe((observed += 100), { k: 'v' }));
      for (const value of [3, 4, 5, 6]) {
        for (let i = 0; i < value; i++) counter.add(1, { i });
        level.add(value);
        histogram.record(10 * value);
        if (value === 5) await kill();
        await exporter.forceFlush();
      }
      const { requests } = receiver.inbox('/p');
      expect(requests.map((request) => otlpTotal(request, 'c'))).to.deep.equal([3, 4, 5, 6]);
      expect(
        requests.map((request) => otlpTotal(request, 'level')),
        'cumulative',
      ).to.deep.equal([3, 7, 12, 18]);
      expect(requests.map((request) => otlpTotal(request, 'o'))).to.deep.equal([100, 100, 100, 100]);
      expect(histograms().map(({ count, min, max }) => [Number(count), min, max])).to.deep.equal(
        [30, 40, 50, 60].map((value) => [1, value, value]),
      );
      const intervals = histograms().map((point) =>
        [point.startTimeUnixNano, point.timeUnixNano].map(Number),
      );
      expect(intervals.slice(1).map(([begin]) => begin)).to.deep.equal(
        intervals.slice(0, -1).map(([, end]) => end),
      );
      expect(workers.length).to.equal(2);
    });

    it('begin anew where there was no memory to keep what was pushed, which is warned of', async () => {
      const { warnings, stop } = collectWarnings();
      const Real = globalThis.SharedArrayBuffer;
      globalThis.SharedArrayBuffer = class extends Real {
        constructor(length: number, options?: { maxByteLength?: number }) {
          if (options?.maxByteLength !== undefined) throw new RangeError('no address space, on purpose');
          super(length);
        }
      } as SharedArrayBufferConstructor;
      const starting = start();
      globalThis.SharedArrayBuffer = Real;
      exporter = await starting;
      const counter = provider.getMeter('m').createCounter('c');
      for (const value of [3, 4]) {
        counter.add(value);
        if (value === 4) await kill();
        await exporter.forceFlush();
      }
      counter.add(5);
      await exporter.forceFlush();
      stop();
      expect(receiver.inbox('/p').requests.map((request) => otlpTotal(request, 'c'))).to.deep.equal([
        3,
        NaN,
        5,
      ]);
      expect(warnings.filter((warning) => warning.includes('is left out')).length).to.equal(1);
    });

    it('in mid-push, are pushed again with what came since: whether they arrived is not known', async () => {
      const got: OtlpRequest[] = [];
      const collector = createServer((request, response) => {
        const chunks: Buffer[] = [];
        request.on('data', (chunk: Buffer) => chunks.push(chunk));
        request.on('end', () => {
          got.push(JSON.parse(Buffer.concat(chunks).toString()) as OtlpRequest);
          if (got.length !== 2) response.end();
        });
      });
      await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
      const url = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
      exporter = await start({ url, protocol: 'http/json' });
      const counter = provider.getMeter('m').createCounter('c');
      counter.add(1);
      await exporter.forceFlush();
      counter.add(2);
      const flushed = exporter.forceFlush();
      await eventually(async () => (got.length === 2 ? true : undefined));
      counter.add(4);
      await kill();
      await flushed;
      collector.close();
      collector.closeAllConnections();
      expect(got.map((request) => otlpTotal(request, 'c'))).to.deep.equal([1, 2, 2 + 4]);
    });
  });

  it('have those of each interval where the instrument was there before', async () => {
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
      [1, 7, 7],
    ]);
    expect(warnings).to.deep.equal([]);
  });
});
