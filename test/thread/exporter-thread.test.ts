import { expect } from 'chai';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { syncBuiltinESMExports } from 'node:module';
import { connect, type AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import threads, { type ResourceLimits, type Worker } from 'node:worker_threads';
import { freePort } from '../../examples/demo/free-port.ts';
import { otlpTotal } from '../../examples/demo/otlp-read.ts';
import { startOtlpReceiver, type OtlpReceiver, type OtlpRequest } from '../../examples/demo/otlp-receiver.ts';
import { parseScrape, total } from '../../examples/demo/scraped-text.ts';
import {
  MetricStore,
  SeqlockMeterProvider,
  startExporterThread,
  type ExporterThread,
} from '../../src/index.ts';
import type { ExporterThreadOptions } from '../../src/index.ts';
import { eventually } from '../support/eventually.ts';
import { start } from '../support/program.ts';
import { makeProvider, shutDownProviders } from '../support/provider.ts';
import { endThreads, Thread } from '../support/threads.ts';
import { collectWarnings } from '../support/warnings.ts';

const APP = fileURLToPath(new URL('../support/exporter-app.js', import.meta.url));
/** Of the app's pushes. */
const INTERVAL_MILLIS = 200;
const LOCAL = { host: '127.0.0.1', port: 0 };

describe('the exporter thread', () => {
  let provider: SeqlockMeterProvider;
  let workers: Worker[];
  const exporters: ExporterThread[] = [];
  const noteWorker = (worker: Worker): void => void workers.push(worker);
  beforeEach(() => {
    provider = new SeqlockMeterProvider();
    workers = [];
    process.on('worker', noteWorker);
  });
  afterEach(async () => {
    process.off('worker', noteWorker);
    await Promise.all(exporters.splice(0).map((exporter) => exporter.stop({ timeoutMillis: 5000 })));
    await endThreads();
    await provider.shutdown();
  });

  async function export_(options: ExporterThreadOptions): Promise<ExporterThread> {
    const exporter = await startExporterThread({ lastExport: false, ...options });
    exporters.push(exporter);
    return exporter;
  }
  const urlOf = ({ address }: ExporterThread, path = '/metrics'): string =>
    `http://127.0.0.1:${address!.port}${path}`;
  const scrape = async (exporter: ExporterThread): Promise<string> => (await fetch(urlOf(exporter))).text();

  describe('serves', () => {
    it('what every thread of the store records, at one path', async () => {
      const exporter = await export_({ prometheus: LOCAL });
      provider.getMeter('m').createCounter('c').add(2);
      await new Thread().ask({
        do: 'record',
        recordings: [{ kind: 'counter', name: 'c', values: [40], times: 1 }],
      });
      const samples = parseScrape(await scrape(exporter));
      expect(total(samples, 'c_total')).to.equal(2 + 40);
      expect(exporter.address).to.include({ address: '127.0.0.1', family: 'IPv4' });
      expect((await fetch(urlOf(exporter, '/metrics?a=1'))).status).to.equal(200);
      expect((await fetch(urlOf(exporter, '/other'))).status).to.equal(404);
      expect((await fetch(urlOf(exporter, '/'))).headers.get('content-type')).to.include('text/html');
      expect((await fetch(urlOf(exporter), { method: 'POST' })).status).to.equal(405);
    });

    it('at the path and in the form it was told', async () => {
      const exporter = await export_({
        prometheus: { ...LOCAL, endpoint: '/m', scopeInfoEnabled: false, targetInfoEnabled: false },
      });
      provider.getMeter('m').createCounter('c').add(1);
      const text = await (await fetch(urlOf(exporter, '/m'))).text();
      expect(text)
        .to.match(/^c_total 1$/m)
        .and.not.to.include('target_info');
    });

    it('the resource that the store was given, and its own metrics on request', async () => {
      const exporter = await export_({ prometheus: LOCAL, selfMetrics: true });
      const text = await scrape(exporter);
      expect(text).to.match(/^target_info\{service_name="unknown_service:/m);
      expect(text).to.match(/^seqlock_thread_blocked_seconds\{.*thread_id="0".*\} 0(\.\d+)?$/m);
      expect(text).to.include('seqlock_reader_reads_total');
    });

    it('what observable callbacks of any thread observe when it asks', async () => {
      let rounds = 0;
      provider
        .getMeter('m')
        .createObservableGauge('g')
        .addCallback((result) => result.observe(++rounds));
      const exporter = await export_({ prometheus: LOCAL });
      const values = [await scrape(exporter), await scrape(exporter)].map((text) =>
        total(parseScrape(text), 'g'),
      );
      expect(values[1]).to.equal(values[0]! + 1);
    });
  });

  describe('pushes', () => {
    let receiver: OtlpReceiver;
    beforeEach(async () => (receiver = await startOtlpReceiver()));
    afterEach(() => receiver.close());

    for (const protocol of ['http/protobuf', 'http/json'] as const)
      it(`by ${protocol}, at its interval and when it is told to`, async () => {
        const exporter = await export_({
          otlp: { url: `${receiver.url}/p`, protocol, intervalMillis: 50, compression: 'gzip' },
        });
        provider.getMeter('m').createCounter('c').add(3);
        const { requests, contentTypes } = receiver.inbox('/p');
        await eventually(async () => (requests.length >= 2 ? true : undefined));
        provider.getMeter('m').createCounter('c').add(4);
        await exporter.forceFlush();
        expect(otlpTotal(requests.at(-1)!, 'c')).to.equal(7);
        expect(contentTypes[0]).to.equal(
          protocol === 'http/json' ? 'application/json' : 'application/x-protobuf',
        );
        expect(exporter.address).to.equal(undefined);
      });

    it('once more when it is stopped, and then no more', async () => {
      const exporter = await export_({ otlp: { url: `${receiver.url}/p` } });
      provider.getMeter('m').createCounter('c').add(5);
      await Promise.all([exporter.stop(), exporter.stop()]);
      expect(receiver.inbox('/p').requests.map((request) => otlpTotal(request, 'c'))).to.deep.equal([5]);
      await exporter.forceFlush();
      expect(receiver.inbox('/p').requests.length).to.equal(1);
    });

    it('within the time it is given, by no other name', async () => {
      const exporter = await export_({ otlp: { url: `${receiver.url}/time` } });
      const slip = { timeout: 5 } as object;
      const rejection = await exporter.forceFlush(slip).then(String, String);
      expect(rejection).to.include('timeout').and.include('timeoutMillis');
      const { warnings, stop } = collectWarnings();
      await exporter.stop(slip); // which never rejects
      stop();
      expect(warnings.join()).to.include('"timeout"').and.include('timeoutMillis');
      expect(receiver.inbox('/time').requests.length).to.equal(1);
    });

    it('when the provider is flushed, and once more when it is shut down, which ends it', async () => {
      const own = new SeqlockMeterProvider({ store: MetricStore.open({ maxBytes: 2 ** 20 }) });
      const owner = new SeqlockMeterProvider();
      await export_({ otlp: { url: `${receiver.url}/own` }, store: own.store });
      await export_({ otlp: { url: `${receiver.url}/owner` }, store: owner.store });
      for (const one of [own, owner]) one.getMeter('m').createCounter('c').add(6);
      await Promise.all([own.forceFlush(), owner.forceFlush()]);
      for (const one of [own, owner]) one.getMeter('m').createCounter('c').add(1);
      await Promise.all([own.shutdown(), owner.shutdown()]);
      own.store.close(); // or it would stay the published one
      const pushed = (path: string): unknown[] =>
        receiver.inbox(path).requests.map((request) => otlpTotal(request, 'c'));
      expect([pushed('/own'), pushed('/owner')]).to.deep.equal([
        [6, 7],
        [6, 7],
      ]);
      expect(exporters.length).to.equal(2);
      await eventually(async () => (workers[1]!.threadId === -1 ? true : undefined)); // ended with its store
      expect(workers[0]!.threadId, 'of a store that is not the provider’s').to.be.above(0);
    });

    it('when the provider is shut down, and where nobody takes it, rejects nothing', async () => {
      const { warnings, stop } = collectWarnings();
      const owner = new SeqlockMeterProvider();
      const url = `http://127.0.0.1:${await freePort()}/v1/metrics`;
      await export_({ otlp: { url, timeoutMillis: 200 }, store: owner.store });
      owner.getMeter('m').createCounter('c').add(1);
      const flushed = await owner.forceFlush().catch(({ code }: { code: string }) => code);
      await owner.shutdown();
      stop();
      expect(flushed).to.equal('E_FLUSH');
      expect(warnings.join()).to.include('could not be pushed');
    });

    it('with the headers it was given', async () => {
      const seen: IncomingMessage['headers'][] = [];
      const server = await listening((request, response) => {
        seen.push(request.headers);
        request.resume().on('end', () => response.end());
      });
      const exporter = await export_({
        otlp: { url: urlAt(server), headers: { 'api-key': 'k' } },
      });
      provider.getMeter('m').createCounter('c').add(1);
      await exporter.forceFlush();
      server.close();
      expect(seen[0]).to.include({ 'api-key': 'k' });
    });
  });

  it('serves and pushes on time while the main thread and another hang, and tells which', async () => {
    const receiver = await startOtlpReceiver();
    const app = start(process.execPath, [APP, 'hang', receiver.url]);
    try {
      const [text] = (await new Promise((resolve) =>
        app.child.stdout!.once('data', (data: string) => resolve([data])),
      )) as [string];
      const { port } = JSON.parse(text) as AddressInfo;
      const { requests } = receiver.inbox('/v1/metrics');
      const pushedBefore = requests.length;
      const hungAt = performance.now();
      const seen: { live: number; blocked: Record<string, number>; states: Record<string, string> }[] = [];
      await eventually(async () => {
        const response = await fetch(`http://127.0.0.1:${port}/metrics`);
        expect(response.status).to.equal(200);
        const samples = parseScrape(await response.text());
        const blocked = samples
          .filter(({ name }) => name === 'seqlock_thread_blocked_seconds')
          .map(({ labels, value }) => ({
            id: labels['thread_id']!,
            value,
            state: labels['seqlock_thread_state']!,
          }));
        seen.push({
          live: total(samples, 'live_total'),
          blocked: Object.fromEntries(blocked.map(({ id, value }) => [id, value])),
          states: Object.fromEntries(blocked.map(({ id, state }) => [id, state])),
        });
        return Object.values(seen.at(-1)!.blocked).filter((seconds) => seconds > 1.5).length === 3
          ? true
          : undefined;
      });
      const last = seen.at(-1)!;
      expect(last.live, 'the thread that works is seen to').to.be.above(seen[0]!.live);
      const turning = Object.keys(last.blocked).filter((id) => last.blocked[id]! < 1);
      expect(last.blocked['0'], 'the main thread').to.be.above(1.5);
      expect(turning.length, 'one thread works').to.equal(1);
      if (process.platform === 'linux') {
        expect(last.states['0']).to.equal('busy');
        expect(last.states[turning[0]!]).to.equal('turning');
        expect(Object.values(last.states).sort()).to.deep.equal(['busy', 'busy', 'turning', 'waiting']);
      }
      const pushed = requests.slice(pushedBefore).map((request) => otlpTotal(request, 'live'));
      const due = Math.floor((performance.now() - hungAt) / INTERVAL_MILLIS);
      expect(due, 'pushes that were due').to.be.at.least(3);
      // On a busy machine the exporter thread may have to wait for a core; the benchmark says for how long.
      expect(pushed.length, `pushes while both hung, of ${due} that were due`).to.be.at.least(due / 2);
      expect(pushed.at(-1)!).to.be.above(pushed[0]!);
    } finally {
      app.child.kill('SIGKILL');
      await app.outcome;
      await receiver.close();
    }
  });

  it('says once that a collector is away, and delivers when it is back', async () => {
    const { warnings, stop } = collectWarnings();
    const closed = await listening(() => {});
    const { port } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    const url = `http://127.0.0.1:${port}/v1/metrics`;
    const exporter = await export_({ otlp: { url, intervalMillis: 60_000, timeoutMillis: 50 } });
    provider.getMeter('m').createCounter('c').add(1);
    for (let i = 0; i < 3; i++) {
      const error = await exporter.forceFlush().catch((reason: Error) => reason);
      expect(error).to.include({ code: 'E_FLUSH' });
      expect((error as Error).message).to.match(/could not deliver the metrics: OTLP \(http\/\w+\): \S+/);
    }
    const pushes: unknown[] = [];
    const back = createServer((request, response) => {
      pushes.push(request.url);
      request.resume().on('end', () => response.end());
    });
    await new Promise<void>((resolve) => back.listen(port, '127.0.0.1', resolve));
    await exporter.forceFlush();
    stop();
    back.close();
    back.closeAllConnections();
    expect(pushes).to.deep.equal(['/v1/metrics']);
    expect(warnings.filter((warning) => warning.includes('could not be pushed')).length).to.equal(1);
  });

  it('counts what is lost when deltas cannot be delivered, and says so', async () => {
    const { warnings, stop } = collectWarnings();
    let status = 503;
    const collector = await listening((request, response) => {
      request.resume().on('end', () => response.writeHead(status, { 'retry-after': '60' }).end());
    });
    const exporter = await export_({
      otlp: { url: urlAt(collector), intervalMillis: 60_000, timeoutMillis: 1000, temporality: 'delta' },
    });
    const counter = provider.getMeter('m').createCounter('c');
    for (const series of [2, 3]) {
      for (let i = 0; i < series; i++) counter.add(1, { i });
      await exporter.forceFlush().catch(() => {});
    }
    status = 200;
    counter.add(1);
    await exporter.forceFlush();
    await eventually(async () => (warnings.length > 1 ? true : undefined));
    stop();
    collector.close();
    collector.closeAllConnections();
    expect(warnings.length).to.equal(2);
    expect(warnings[0]).to.include('the deltas in pushes that fail are lost');
    expect(warnings[1]).to.include('again, after 2 failed pushes, in which 5 delta data points were lost');
  });

  it('does not let pushes pile up, however slow the collector is', async () => {
    let pushes = 0;
    let underWay = 0;
    let most = 0;
    const silent = await listening((_request, response) => {
      pushes++;
      most = Math.max(most, ++underWay);
      response.on('close', () => underWay--);
    });
    await export_({ otlp: { url: urlAt(silent), intervalMillis: 50 } });
    provider.getMeter('m').createCounter('c').add(1);
    await eventually(async () => (pushes >= 12 ? true : undefined));
    silent.close();
    silent.closeAllConnections();
    expect(most, 'one, and one whose end the collector has not noticed yet').to.be.at.most(2);
  });

  it('is one reader more where the provider has readers, and says so', async () => {
    const { warnings, stop } = collectWarnings();
    const { provider: other } = makeProvider();
    const exporter = await export_({ prometheus: LOCAL, store: other.store });
    await eventually(async () => (warnings.length > 0 ? true : undefined));
    stop();
    expect(warnings.join()).to.include('exported twice');
    await exporter.stop();
    await shutDownProviders();
  });

  describe('that dies', () => {
    const kill = (): Promise<number> => workers.at(-1)!.terminate();

    it('is started again at the same port, and has lost nothing', async () => {
      const { warnings, stop } = collectWarnings();
      const exporter = await export_({ prometheus: LOCAL });
      const counter = provider.getMeter('m').createCounter('c');
      for (let deaths = 1; deaths <= 2; deaths++) {
        counter.add(1);
        await kill();
        counter.add(1); // while there is none
        const text = await eventually(() => scrape(exporter));
        expect(total(parseScrape(text), 'c_total')).to.equal(2 * deaths);
      }
      stop();
      const told = warnings.filter((warning) => warning.includes('It is started again in'));
      expect(told.map((warning) => /in (\d+) ms/.exec(warning)![1])).to.deep.equal(['100', '200']);
      expect(warnings.length, 'and of nothing else: it is not its own second reader').to.equal(2);
    });

    it('of too little memory, says so, and its successor has lost nothing', async () => {
      const { warnings, stop } = collectWarnings();
      const restore = limitNextWorker({ maxOldGenerationSizeMb: 16 });
      const exporter = await export_({ prometheus: LOCAL });
      restore();
      const meter = provider.getMeter('m');
      for (let counter = 0; counter < 10; counter++)
        for (let i = 0; i < 1000; i++)
          meter.createCounter(`c${counter}`).add(1, { text: `${counter} ${i} ${'x'.repeat(2000)}` });
      const text = await eventually(() => scrape(exporter));
      stop();
      expect(workers.length).to.equal(2);
      expect(
        warnings.filter((warning) => /exporter thread died .*memory.*started again/.test(warning)).length,
      ).to.equal(1);
      const samples = parseScrape(text);
      for (let counter = 0; counter < 10; counter++)
        expect(total(samples, `c${counter}_total`), `counter ${counter}`).to.equal(1000);
    });

    it('over a flush, and again over the same, has it fail and goes on', async () => {
      const { stop } = collectWarnings();
      let pushes = 0;
      const deadly = await listening((request) => {
        pushes++;
        request.resume();
        void kill();
      });
      const exporter = await export_({ prometheus: LOCAL, otlp: { url: urlAt(deadly) } });
      provider.getMeter('m').createCounter('c').add(1);
      const failed = await exporter.forceFlush().catch(({ code }: { code: string }) => code);
      stop();
      deadly.close();
      deadly.closeAllConnections();
      expect(failed).to.equal('E_FLUSH');
      expect(pushes).to.equal(2);
      expect(total(parseScrape(await eventually(() => scrape(exporter))), 'c_total')).to.equal(1);
    });

    it('in mid-scrape, closes the connection and serves the next one whole', async () => {
      const exporter = await export_({ prometheus: LOCAL });
      const counter = provider.getMeter('m').createCounter('c');
      for (let i = 0; i < 2000; i++) counter.add(1, { i, text: 'x'.repeat(2000) });
      const receiver = connect({ host: '127.0.0.1', port: exporter.address!.port });
      receiver.write('GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n');
      await once(receiver, 'readable'); // the answer has begun; it is not read, and far too long for the system's buffers
      await kill();
      let bytes = 0;
      receiver.on('data', (piece: Buffer) => (bytes += piece.length)).on('error', () => {});
      await once(receiver, 'close');
      const text = await eventually(() => scrape(exporter));
      expect(bytes, 'of the scrape that was cut off').to.be.below(text.length);
      expect(total(parseScrape(text), 'c_total')).to.equal(2000);
    });

    it('in mid-push, delivers the same totals with the next', async () => {
      const got: string[] = [];
      const collector = await listening((request, response) => {
        const chunks: Buffer[] = [];
        request.on('data', (chunk: Buffer) => chunks.push(chunk));
        request.on('end', () => {
          got.push(Buffer.concat(chunks).toString());
          if (got.length > 1) response.end(); // the first waits for ever
        });
      });
      const exporter = await export_({ otlp: { url: urlAt(collector), protocol: 'http/json' } });
      provider.getMeter('m').createCounter('c').add(11);
      const flushed = exporter.forceFlush();
      await eventually(async () => (got.length === 1 ? true : undefined));
      await kill();
      await flushed; // by its successor, who finds what was asked for
      collector.close();
      collector.closeAllConnections();
      expect(got.length).to.equal(2);
      expect(otlpTotal(JSON.parse(got[1]!) as OtlpRequest, 'c')).to.equal(11);
    });

    it('whose port was taken meanwhile, gets it back when it is free', async () => {
      const { warnings, stop } = collectWarnings();
      const exporter = await export_({ prometheus: LOCAL });
      await kill();
      const thief = createServer();
      await new Promise<void>((resolve) => thief.listen(exporter.address!.port, '127.0.0.1', resolve));
      await eventually(async () =>
        warnings.join().includes('something else listens there') ? true : undefined,
      );
      await new Promise((resolve) => thief.close(resolve));
      expect(await eventually(() => scrape(exporter))).to.include('target_info');
      stop();
    });

    it('and is stopped before it is started again, stays away', async () => {
      const exporter = await export_({ prometheus: LOCAL });
      await kill();
      await exporter.stop();
      await wait(300);
      expect(workers.length).to.equal(1);
    });
  });

  describe('is not started', () => {
    const failure = (options: ExporterThreadOptions): Promise<Error & { code: string }> =>
      startExporterThread(options).then(
        () => expect.fail('it was started'),
        (error: Error & { code: string }) => error,
      );

    it('where it cannot listen at all', async () => {
      const { code, message } = await failure({ prometheus: { host: '203.0.113.7', port: 0 } });
      expect(code).to.equal('EADDRNOTAVAIL');
      expect(message).to.include('prometheus.host');
      expect(process.listeners('SIGTERM').length, 'nothing stays behind').to.equal(0);
    });

    it('without a store to export', async () => {
      const closed = MetricStore.open({ maxBytes: 2 ** 20 });
      closed.close();
      const isOption = ({ code }: { code: string }): boolean => code === 'E_OPTION';
      expect(await failure({ prometheus: LOCAL, store: closed })).to.satisfy(isOption);
      await provider.shutdown();
      expect((await failure({ prometheus: LOCAL })).message).to.include(
        'make the SeqlockMeterProvider before',
      );
      provider = new SeqlockMeterProvider();
    });
  });

  /** Returns what undoes it. */
  function limitNextWorker(resourceLimits: ResourceLimits): () => void {
    const { Worker: Unlimited } = threads;
    threads.Worker = class extends Unlimited {
      constructor(file: URL | string, options?: threads.WorkerOptions) {
        super(file, { ...options, resourceLimits });
      }
    };
    syncBuiltinESMExports();
    return () => {
      threads.Worker = Unlimited;
      syncBuiltinESMExports();
    };
  }

  async function listening(
    listener: (request: IncomingMessage, response: ServerResponse) => void,
  ): Promise<Server> {
    const server = createServer(listener);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return server;
  }
  const urlAt = (server: Server): string =>
    `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/metrics`;
});
