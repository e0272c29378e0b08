import { expect } from 'chai';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { connect, createServer, type AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { otlpTotal } from '../../examples/demo/otlp-read.ts';
import { startOtlpReceiver } from '../../examples/demo/otlp-receiver.ts';
import { parseScrape, total } from '../../examples/demo/scraped-text.ts';
import { keeperMemory } from '../../src/exporter/delta-keeper.ts';
import { startExporter, type Exporter } from '../../src/exporter/exporter.ts';
import { planOf, type ExporterOptions } from '../../src/exporter/options.ts';
import { SeqlockMeterProvider } from '../../src/index.ts';
import { eventually } from '../support/eventually.ts';
import { collectWarnings } from '../support/warnings.ts';

const LOCAL = { host: '127.0.0.1', port: 0 };

/** In this thread: whatever thread or process it is in, it takes a region and a plan. */
describe('startExporter', () => {
  let provider: SeqlockMeterProvider;
  beforeEach(() => (provider = new SeqlockMeterProvider()));
  afterEach(() => provider.shutdown());

  const export_ = (options: ExporterOptions, keeper = keeperMemory(2 ** 20)): Promise<Exporter> =>
    startExporter(provider.store.region, planOf(options, 'options of the test'), { keeper });
  const textAt = async ({ port }: AddressInfo): Promise<string> =>
    (await fetch(`http://127.0.0.1:${port}/metrics`)).text();

  it('serves and pushes until it is stopped', async () => {
    const receiver = await startOtlpReceiver();
    const exporter = await export_({ prometheus: LOCAL, otlp: { url: `${receiver.url}/p` } });
    const counter = provider.getMeter('m').createCounter('c');
    counter.add(3);
    expect(total(parseScrape(await textAt(exporter.address!)), 'c_total')).to.equal(3);
    expect(await exporter.flush()).to.equal(true);
    counter.add(4);
    await exporter.flush(true);
    await exporter.stop();
    expect(receiver.inbox('/p').requests.map((request) => otlpTotal(request, 'c'))).to.deep.equal([3, 7]);
    await receiver.close();
    expect(await textAt(exporter.address!).catch(() => 'gone')).to.equal('gone');
  });

  it('prints cumulative totals to the console', async () => {
    const printed: { descriptor: { name: string }; dataPoints: { value: unknown }[] }[] = [];
    const { dir } = console;
    console.dir = (item: (typeof printed)[number]) => printed.push(item);
    try {
      const exporter = await export_({ console: {}, blockedThreads: false });
      const counter = provider.getMeter('m').createCounter('c');
      for (const value of [3, 4]) {
        counter.add(value);
        await exporter.flush();
      }
      await exporter.stop();
    } finally {
      console.dir = dir;
    }
    expect(printed.map(({ dataPoints }) => dataPoints[0]!.value)).to.deep.equal([3, 7]);
  });

  it('goes on with deltas where the exporter before it stopped', async () => {
    const receiver = await startOtlpReceiver();
    const keeper = keeperMemory(2 ** 20);
    const counter = provider.getMeter('m').createCounter('c');
    for (const value of [3, 4]) {
      counter.add(value);
      const exporter = await export_({ otlp: { url: `${receiver.url}/p`, temporality: 'delta' } }, keeper);
      await exporter.flush();
      await exporter.stop();
    }
    expect(receiver.inbox('/p').requests.map((request) => otlpTotal(request, 'c'))).to.deep.equal([3, 4]);
    await receiver.close();
  });

  it('writes the numbers that JSON does not have as texts', async () => {
    const bodies: string[] = [];
    const receiver = createHttpServer((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (text: string) => (body += text));
      request.on('end', () => {
        bodies.push(body);
        response.end('{}');
      });
    }).listen(0, '127.0.0.1');
    await once(receiver, 'listening');
    const { port } = receiver.address() as AddressInfo;
    const exporter = await export_({
      otlp: { url: `http://127.0.0.1:${port}/p`, protocol: 'http/json', compression: 'none' },
    });
    const meter = provider.getMeter('m');
    for (const value of [NaN, Infinity, -Infinity, 1.5])
      meter.createGauge('g').record(value, { n: String(value) });
    meter.createHistogram('h').record(Infinity);
    await exporter.flush();
    await exporter.stop();
    receiver.close();
    expect(bodies[0]).to.not.include('null');
    for (const field of [
      '"asDouble":"NaN"',
      '"asDouble":"Infinity"',
      '"asDouble":"-Infinity"',
      '"asDouble":1.5',
    ])
      expect(bodies[0]).to.include(field);
    for (const field of ['sum', 'min', 'max']) expect(bodies[0]).to.include(`"${field}":"Infinity"`);
  });

  it('leaves nothing behind where it cannot listen', async () => {
    const receiver = await startOtlpReceiver();
    const failure = await export_({
      prometheus: { host: '203.0.113.7', port: 0 },
      otlp: { url: `${receiver.url}/p`, intervalMillis: 10 },
    }).catch(({ code }: { code: string }) => code);
    const pushed = receiver.inbox('/p').requests.length;
    await wait(100);
    expect(failure).to.equal('EADDRNOTAVAIL');
    expect(receiver.inbox('/p').requests.length).to.equal(pushed);
    await receiver.close();
  });

  it('waits for a port that is taken, says so once, and pushes meanwhile', async () => {
    const { warnings, stop } = collectWarnings();
    const receiver = await startOtlpReceiver();
    const thief = createServer();
    await new Promise<void>((resolve) => thief.listen(0, '127.0.0.1', resolve));
    const { port } = thief.address() as AddressInfo;
    const exporter = await export_({ prometheus: { ...LOCAL, port }, otlp: { url: `${receiver.url}/p` } });
    expect(exporter.address).to.equal(undefined);
    expect(await exporter.flush()).to.equal(true);
    await wait(1200); // some tries
    thief.close();
    const text = await eventually(() => textAt({ port } as AddressInfo));
    stop();
    expect(text).to.include('target_info');
    expect(exporter.address?.port).to.equal(port);
    const told = warnings.filter((warning) => warning.includes('cannot be served')); // others are of other tests
    expect(told.length).to.equal(1);
    expect(told[0]).to.include(`127.0.0.1:${port}`).and.include('another process of a cluster');
    await exporter.stop();
    await receiver.close();
  });

  it('is stopped within a drain time, whatever connections are open', async () => {
    const exporter = await export_({ prometheus: LOCAL });
    const silent = connect({ host: '127.0.0.1', port: exporter.address!.port });
    await once(silent, 'connect');
    const closed = once(silent, 'close');
    silent.resume().on('error', () => {});
    await exporter.stop();
    await closed;
  });

  it('waits at the end for half a second at most for a collector that failed and never took anything', async () => {
    const silent = createHttpServer(() => {});
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}/v1/metrics`;
    const { stop } = collectWarnings();
    const exporter = await export_({ otlp: { url, timeoutMillis: 5000 } });
    expect(await exporter.flush()).to.equal(false);
    const started = performance.now();
    expect(await exporter.flush(true)).to.equal(false);
    expect(performance.now() - started, 'of 5 s that it might take').to.be.below(4000);
    stop();
    await exporter.stop();
    silent.close();
    silent.closeAllConnections();
  });

  it('tries a collector that never took anything once at the end, and one that did as often as ever', async () => {
    const tried: string[] = [];
    let status = 503;
    const collector = createHttpServer((request, response) => {
      tried.push(request.url!);
      request.resume().on('end', () => response.writeHead(status).end());
    });
    await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(collector.address() as AddressInfo).port}/v1/metrics`;
    const { warnings, stop } = collectWarnings();
    const exporter = await export_({ otlp: { url } });
    const pending = exporter.flush(); // would be tried for 10 s
    await eventually(async () => (tried.length === 1 ? true : undefined));
    expect(await exporter.flush(true)).to.equal(false);
    expect(await pending).to.equal(false);
    expect(tried.length, 'one of the push that was given up, one of the last').to.equal(2);
    status = 200;
    await exporter.flush();
    status = 503;
    const last = exporter.flush(true);
    await eventually(async () => (tried.length === 4 ? true : undefined));
    status = 200;
    expect(await last).to.equal(true);
    stop();
    expect(warnings.length).to.be.at.least(1);
    await exporter.stop();
    collector.close();
    collector.closeAllConnections();
  });
});
