/**
 * Copies of the package in several realms of one thread, as jest and vitest's `vmThreads` make them, and workers that inherited no store, as those
 * of vitest's `threads` are.
 */
import { expect } from 'chai';
import { build } from 'esbuild';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { createContext, Script } from 'node:vm';
import { Worker } from 'node:worker_threads';
import { slabsUsed } from '../src/memory/slab.ts';
import { MetricStore, SeqlockMeterProvider, SeqlockMetricProducer } from '../src/index.ts';

type Package = typeof import('../src/index.ts');

describe('realms of one thread', () => {
  let bundle: string;

  before(async () => {
    const { outputFiles } = await build({
      entryPoints: ['dist/index.js'],
      bundle: true,
      platform: 'node',
      format: 'cjs',
      write: false,
      logLevel: 'silent',
      external: ['@opentelemetry/*'],
      define: { 'import.meta.url': JSON.stringify(import.meta.url) },
    });
    bundle = outputFiles[0]!.text;
  });

  /** The package in a vm context with globals of its own. */
  function inNewRealm(): Package {
    const globals = { process, Buffer, URL, console, TextEncoder, TextDecoder, performance, queueMicrotask };
    const context = createContext({ ...globals, structuredClone, AbortController, setTimeout, clearTimeout });
    const module = { exports: {} };
    const run = new Script(`(function (require, module, exports) {${bundle}\n})`).runInContext(context) as (
      ...args: unknown[]
    ) => void;
    run(createRequire(import.meta.url), module, module.exports);
    return module.exports as Package;
  }

  const count = (provider: SeqlockMeterProvider, times: number): void => {
    const counter = provider.getMeter('m').createCounter('c');
    for (let i = 0; i < times; i++) counter.add(1);
  };

  const totalOf = (store: MetricStore): unknown =>
    new SeqlockMetricProducer(store).snapshot().scopeMetrics[0]?.metrics[0]?.dataPoints[0]?.value;

  it('are realms indeed', () => {
    expect(inNewRealm().MetricStore).to.not.equal(MetricStore);
  });

  it('have a slab each in a store that they share', () => {
    const store = MetricStore.open({ maxBytes: 2 ** 20 });
    count(new SeqlockMeterProvider({ store }), 1000);
    // Two that join, of one kind: to each the slab of the other would be that of a dead thread of its kind.
    const [first, second] = [inNewRealm(), inNewRealm()].map(
      (realm) => new realm.SeqlockMeterProvider({ store }),
    );
    count(first!, 100);
    count(second!, 10);
    count(first!, 1);
    expect(slabsUsed(store.region)).to.equal(3);
    expect(totalOf(store)).to.equal(1111);
    store.close();
  });

  it('make stores of their own, and none is taken for inherited', async () => {
    const counted: unknown[] = [];
    const providers: SeqlockMeterProvider[] = [];
    for (let i = 0; i < 3; i++) {
      const { SeqlockMeterProvider } = inNewRealm();
      const provider = new SeqlockMeterProvider();
      providers.push(provider);
      count(provider, 1);
      counted.push(totalOf(MetricStore.of(provider.store)));
    }
    expect(counted).to.deep.equal([1, 1, 1]);
    await Promise.all(providers.map((provider) => provider.shutdown()));
  });

  it('are alike in a worker, with and without a store to inherit', async () => {
    const code = `
      const { parentPort } = require('node:worker_threads');
      const { createContext, Script } = require('node:vm');
      const globals = { process, Buffer, URL, console, TextEncoder, TextDecoder, performance, queueMicrotask, structuredClone, AbortController, setTimeout, clearTimeout };
      const script = new Script('(function (require, module, exports) {' + require('node:worker_threads').workerData.bundle + '\\n})');
      const counted = [];
      for (let i = 0; i < 3; i++) {
        const module = { exports: {} };
        script.runInContext(createContext({ ...globals }))(require('node:module').createRequire(${JSON.stringify(import.meta.url)}), module, module.exports);
        const { SeqlockMeterProvider, SeqlockMetricProducer } = module.exports;
        const provider = new SeqlockMeterProvider();
        provider.getMeter('m').createCounter('c').add(1);
        counted.push(new SeqlockMetricProducer(provider.store).snapshot().scopeMetrics[0].metrics[0].dataPoints[0].value);
      }
      parentPort.postMessage(counted);`;
    const countedInWorker = async (): Promise<unknown> => {
      const worker = new Worker(code, { eval: true, workerData: { bundle } });
      const [counted] = (await once(worker, 'message')) as [unknown];
      await worker.terminate();
      return counted;
    };
    expect(MetricStore.published()).to.equal(undefined);
    expect(await countedInWorker(), 'like a main thread').to.deep.equal([1, 1, 1]);
    const store = MetricStore.open();
    expect(await countedInWorker(), 'one store').to.deep.equal([1, 2, 3]);
    expect(slabsUsed(store.region)).to.equal(3);
    store.close();
  });
});

describe('a worker that inherited no store', () => {
  it('is like a main thread: each provider has a store of its own', async () => {
    const url = JSON.stringify(new URL('../src/index.js', import.meta.url).href);
    const code = `
      const { parentPort } = require('node:worker_threads');
      import(${url}).then(({ MetricStore, SeqlockMeterProvider, SeqlockMetricProducer }) => {
        const counted = [1, 2, 3].map(() => {
          const provider = new SeqlockMeterProvider();
          provider.getMeter('m').createCounter('c').add(1);
          return new SeqlockMetricProducer(provider.store).snapshot().scopeMetrics[0].metrics[0].dataPoints[0].value;
        });
        parentPort.postMessage([counted, MetricStore.open() === MetricStore.published()]);
      });`;
    expect(MetricStore.published()).to.equal(undefined);
    const worker = new Worker(code, { eval: true });
    const [found] = (await once(worker, 'message')) as [unknown];
    await worker.terminate();
    expect(found).to.deep.equal([[1, 1, 1], true]);
  });
});
