import { expect } from 'chai';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { otlpTotal } from '../../examples/demo/otlp-read.ts';
import { startOtlpReceiver } from '../../examples/demo/otlp-receiver.ts';
import { parseScrape, total } from '../../examples/demo/scraped-text.ts';
import { keeperMemory } from '../../src/exporter/delta-keeper.ts';
import { startExporter, type Exporter } from '../../src/exporter/exporter.ts';
import { planOf, type ExporterOptions } from '../../src/exporter/options.ts';
import { SeqlockMeterProvider } from '../../src/index.ts';

const LOCAL = { host: '127.0.0.1', port: 0 };

/** In this thread: whatever thread or process it is in, it takes a region and a plan. */
describe('startExporter', () => {
  let provider: SeqlockMeterProvider;
  beforeEach(() => (provider = new SeqlockMeterProvider()));
  afterEach(() => provider.shutdown());

  const export_ = (options: ExporterOptions, keeper = keeperMemory(2 ** 20)): Promise<Exporter> =>
    startExporter(provider.store.region, planOf(options, 'options of the test'), keeper);
  const textAt = async ({ port }: AddressInfo): Promise<string> =>
    (await fetch(`http://127.0.0.1:${port}/metrics`)).text();

  it('serves and pushes, once more when it is stopped, and then no more', async () => {
    const receiver = await startOtlpReceiver();
    const exporter = await export_({ prometheus: LOCAL, otlp: { url: `${receiver.url}/p` } });
    const counter = provider.getMeter('m').createCounter('c');
    counter.add(3);
    expect(total(parseScrape(await textAt(exporter.address!)), 'c_total')).to.equal(3);
    expect(await exporter.flush()).to.equal(true);
    counter.add(4);
    await exporter.stop();
    expect(receiver.inbox('/p').requests.map((request) => otlpTotal(request, 'c'))).to.deep.equal([3, 7]);
    await receiver.close();
    expect(await textAt(exporter.address!).catch(() => 'gone')).to.equal('gone');
  });

  it('goes on with deltas where the exporter before it stopped', async () => {
    const receiver = await startOtlpReceiver();
    const keeper = keeperMemory(2 ** 20);
    const counter = provider.getMeter('m').createCounter('c');
    for (const value of [3, 4]) {
      counter.add(value);
      const exporter = await export_({ otlp: { url: `${receiver.url}/p`, temporality: 'delta' } }, keeper);
      await exporter.stop();
    }
    expect(receiver.inbox('/p').requests.map((request) => otlpTotal(request, 'c'))).to.deep.equal([3, 4]);
    await receiver.close();
  });

  it('pushes nothing where it cannot listen', async () => {
    const receiver = await startOtlpReceiver();
    const thief = createServer();
    await new Promise<void>((resolve) => thief.listen(0, '127.0.0.1', resolve));
    const { port } = thief.address() as AddressInfo;
    const failure = await export_({
      prometheus: { ...LOCAL, port },
      otlp: { url: `${receiver.url}/p`, intervalMillis: 10 },
    }).catch(({ code }: { code: string }) => code);
    const pushed = receiver.inbox('/p').requests.length;
    await new Promise((resolve) => setTimeout(resolve, 100));
    thief.close();
    expect(failure).to.equal('EADDRINUSE');
    expect(receiver.inbox('/p').requests.length).to.equal(pushed);
    await receiver.close();
  });
});
