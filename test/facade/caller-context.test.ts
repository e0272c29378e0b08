/** Nothing that a provider begins in a caller's stack holds the caller's context, or runs in it later. */
import { PeriodicExportingMetricReader, type PushMetricExporter } from '@opentelemetry/sdk-metrics';
import { expect } from 'chai';
import { AsyncLocalStorage } from 'node:async_hooks';
import { yieldToEventLoop } from '../../src/base/event-loop.ts';
import { ring } from '../../src/memory/doorbell.ts';
import { askForPulses, answerPulses } from '../../src/memory/pulse.ts';
import { DEFAULT_MAX_BYTES } from '../../src/memory/layout.ts';
import { Region } from '../../src/memory/region.ts';
import { MetricStore, SeqlockMeterProvider, SeqlockMetricReader } from '../../src/index.ts';
import { collectGarbage } from '../support/collect-garbage.ts';
import { eventually } from '../support/eventually.ts';
import { opened, shutDownOpened } from '../support/opened.ts';

interface Request {
  readonly name: string;
}

describe("a caller's context", () => {
  const context = new AsyncLocalStorage<Request>();
  const inRequest = <T>(name: string, work: () => T): T => context.run({ name }, work);
  afterEach(shutDownOpened);

  it('is not that of the callbacks it adds, nor of those others ask for', async () => {
    const reader = new SeqlockMetricReader();
    const seen: unknown[] = [];
    const provider = inRequest('making', () => opened({ readers: [reader] }));
    for (const name of ['a', 'b'])
      inRequest(name, () => {
        const gauge = provider.getMeter('m').createObservableGauge(`g.${name}`);
        gauge.addCallback(() => void seen.push(context.getStore()));
      });
    await inRequest('collecting', () => reader.collect());
    expect(seen).to.deep.equal([undefined, undefined]);
    ring(provider.store.region); // as a reader of another thread does
    await eventually(async () => (seen.length === 4 ? true : undefined));
    expect(seen).to.deep.equal([undefined, undefined, undefined, undefined]);
  });

  it('is not that of the interval of an official reader', async () => {
    const seen: unknown[] = [];
    const exporter: PushMetricExporter = {
      export: (_, done) => {
        seen.push(context.getStore());
        done({ code: 0 });
      },
      forceFlush: () => Promise.resolve(),
      shutdown: () => Promise.resolve(),
    };
    const reader = new PeriodicExportingMetricReader({
      exporter,
      exportIntervalMillis: 5,
      exportTimeoutMillis: 5,
    });
    const provider = inRequest('making', () => opened({ readers: [reader] }));
    provider.getMeter('m').createCounter('c').add(1);
    await eventually(async () => (seen.length > 0 ? true : undefined));
    expect(seen[0]).to.equal(undefined);
  });

  it('is not kept: what it holds is collected while the store lives', async () => {
    const reader = new SeqlockMetricReader();
    let provider: SeqlockMeterProvider | undefined;
    const requests: WeakRef<Request>[] = [];
    const request = async (work: () => unknown): Promise<void> => {
      const held = { name: `request ${requests.length}` };
      requests.push(new WeakRef(held));
      await context.run(held, async () => void (await work()));
    };
    await request(() => (provider = opened({ readers: [reader] })));
    await request(() => provider!.getMeter('m').createCounter('c').add(1));
    await request(() => provider!.getMeter('m').createObservableGauge('g').addCallback(callback));
    await request(() => reader.collect());
    await request(() =>
      new SeqlockMeterProvider({ store: provider!.store }).getMeter('n').createCounter('d'),
    );
    await request(() => {
      askForPulses(provider!.store.region);
      ring(provider!.store.region);
    });
    const region = Region.create(DEFAULT_MAX_BYTES);
    await request(() => answerPulses(region, 0)); // as a thread does that joins a store
    let others = 2; // keep the queue of those who wait for a turn from being empty
    await request(() => void yieldToEventLoop());
    for (let i = 0; i < 2; i++)
      void (async () => {
        while (others > 0) await yieldToEventLoop();
      })();
    const held = await eventually(async () => {
      await collectGarbage();
      const names = requests.map((one) => one.deref()?.name ?? '');
      return names.join('') === '' ? names : undefined;
    }, 5000).finally(() => (others = 0));
    expect(held).to.have.lengthOf(8);
    region.close();
    expect(MetricStore.published()).to.not.equal(undefined);
  });
});

function callback(): void {}
