import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads';
import { OptionError } from '../../src/base/errors.ts';
import * as layout from '../../src/memory/layout.ts';
import { MetricStore } from '../../src/state/store.ts';
import { StoreWriter } from '../../src/state/store-writer.ts';
import { counter } from '../support/descriptions.ts';
import { startStoreWorker } from '../support/store-job.ts';
import { recordTo } from '../support/record-to.ts';

function closeAll(): void {
  for (let store; (store = MetricStore.published()) !== undefined;) store.close();
}

describe('MetricStore', () => {
  beforeEach(closeAll);
  afterEach(closeAll);

  describe('open, create and published', () => {
    it('without options: the published store, or a new one that is then published', () => {
      expect(MetricStore.published()).to.equal(undefined);
      const store = MetricStore.open();
      expect(store.maxBytes).to.equal(layout.DEFAULT_MAX_BYTES);
      expect(MetricStore.published()).to.equal(store);
      expect(MetricStore.open()).to.equal(store);
      expect(MetricStore.open(undefined)).to.equal(store);
    });

    it('with options: a new store each time, and the first stays published', () => {
      const first = MetricStore.open({});
      const second = MetricStore.open({ maxBytes: 2 ** 20 });
      expect(second).to.not.equal(first);
      expect(MetricStore.create()).to.not.equal(first);
      expect(MetricStore.open()).to.equal(first);
      expect([first.maxBytes, second.maxBytes]).to.deep.equal([layout.DEFAULT_MAX_BYTES, 2 ** 20]);
    });

    it('the oldest open store is published when the one before it is closed', () => {
      const stores = [MetricStore.create(), MetricStore.create(), MetricStore.create()];
      stores[1]!.close();
      expect(MetricStore.published()).to.equal(stores[0]);
      stores[0]!.close();
      expect(MetricStore.published()).to.equal(stores[2]);
      expect(stores.map(({ closed }) => closed)).to.deep.equal([true, true, false]);
      stores[0]!.close();
      stores[2]!.close();
      expect(MetricStore.published()).to.equal(undefined);
    });

    it('a closed store stays readable, and its writers go on', () => {
      const store = MetricStore.create();
      const stream = new StoreWriter(store.region).stream(counter('c'), 10);
      const used = store.usedBytes;
      store.close();
      recordTo(stream, 1, { a: 1 });
      expect(store.usedBytes).to.equal(used);
      expect(store.lostMeasurements).to.equal(0);
    });
  });

  describe('options', () => {
    it('takes maxBytes from the smallest to the largest, rounded down to whole units', () => {
      for (const [maxBytes, rounded] of [
        [layout.SMALLEST_MAX_BYTES, layout.SMALLEST_MAX_BYTES],
        [layout.SMALLEST_MAX_BYTES + 4095, layout.SMALLEST_MAX_BYTES],
        [layout.SMALLEST_MAX_BYTES + 4096, layout.SMALLEST_MAX_BYTES + 4096],
        [layout.LARGEST_MAX_BYTES, layout.LARGEST_MAX_BYTES],
      ] as const) {
        const store = MetricStore.create({ maxBytes });
        expect(store.maxBytes).to.equal(rounded);
        store.close();
      }
      expect(MetricStore.open({ maxBytes: undefined } as never).maxBytes).to.equal(layout.DEFAULT_MAX_BYTES);
    });

    for (const value of [
      0,
      -1,
      1.5,
      NaN,
      Infinity,
      '67108864',
      null,
      {},
      5n,
      layout.SMALLEST_MAX_BYTES - 1,
      layout.LARGEST_MAX_BYTES + 1,
    ])
      it(`refuses maxBytes ${String(value)}, naming option, value and what is allowed`, () => {
        expect(() => MetricStore.open({ maxBytes: value } as never))
          .to.throw(OptionError, 'maxBytes')
          .and.satisfy(({ code, message }: OptionError) => {
            expect(code).to.equal('E_OPTION');
            expect(message).to.include(`${layout.SMALLEST_MAX_BYTES} to ${layout.LARGEST_MAX_BYTES}`);
            const shown =
              typeof value === 'bigint' ? '5n' : value === null ? 'null' : (JSON.stringify(value) ?? '');
            if (Number.isFinite(value) || typeof value !== 'number') expect(message).to.include(shown);
            else expect(message).to.include(String(value));
            return true;
          });
        expect(MetricStore.published(), 'nothing was made').to.equal(undefined);
      });

    it('refuses options that are no object, and names it does not know', () => {
      for (const options of [null, 5, 'text', true])
        expect(() => MetricStore.open(options as never)).to.throw(OptionError);
      expect(() => MetricStore.open({ maxbytes: 2 ** 20 } as never)).to.throw(
        OptionError,
        '"maxbytes"; it must be one of maxBytes, directory',
      );
    });
  });

  describe('in workers', () => {
    it('the published store is found, in workers of workers too', async () => {
      const { created } = MetricStore.create().region;
      MetricStore.create();
      const found = await startStoreWorker({ depth: 2 });
      expect([found, found.nested, found.nested?.nested].map((f) => f?.published)).to.deep.equal([
        created,
        created,
        created,
      ]);
      expect((await startStoreWorker({ open: true })).published).to.equal(created);
    });

    it('what is inherited stays published, even where a worker makes a store of its own first', async () => {
      const { created } = MetricStore.create().region;
      const found = await startStoreWorker({ ownFirst: true, depth: 1 });
      expect(found.own).to.be.a('number').and.not.equal(created);
      expect(found.published).to.equal(created);
      expect(found.nested?.published).to.equal(created);
    });

    it('a worker without published store makes its own, and hands it to its workers', async () => {
      const found = await startStoreWorker({ open: true, depth: 1 });
      expect(found.published).to.be.a('number');
      expect(found.nested?.published).to.equal(found.published);
      expect((await startStoreWorker({})).published).to.equal(undefined);
    });

    it('a store that was closed is found by no new worker', async () => {
      const store = MetricStore.create();
      const { created } = MetricStore.create().region;
      store.close();
      expect((await startStoreWorker({})).published).to.equal(created);
    });

    it('a store that a worker closes is published no more, there or here', async () => {
      const [first, second] = [MetricStore.create(), MetricStore.create()];
      const found = await startStoreWorker({ closeInherited: true });
      expect(found.published).to.equal(first.region.created);
      expect(found.afterwards).to.equal(undefined);
      expect(first.closed).to.equal(true);
      expect(MetricStore.published()).to.equal(second);
      expect(MetricStore.open()).to.equal(second);
    });

    it('where what is published cannot be used, open says so with a code; a store of its own is still to be had', async () => {
      const store = MetricStore.create();
      const name = 'seqlock-metrics.store';
      const published = getEnvironmentData(name);
      const damaged = new SharedArrayBuffer(layout.INITIAL_REGION_BYTES, { maxByteLength: 2 ** 20 });
      new Uint8Array(damaged).set(store.region.bytes.subarray(0, layout.EXTENTS_OFFSET));
      new Uint8Array(damaged)[layout.MAX_BYTES_OFFSET]! ^= 1;
      setEnvironmentData(name, damaged);
      try {
        expect((await startStoreWorker({ open: true })).error).to.equal('E_CRC');
        expect((await startStoreWorker({ ownFirst: true })).error, 'only joining fails').to.equal('E_CRC');
      } finally {
        setEnvironmentData(name, published);
      }
    });
  });

  it('adopts by exit events where the system does not show deaths', () => {
    const url = (file: string): string => new URL(`../support/${file}`, import.meta.url).href;
    const args = ['--import', url('no-proc.js'), fileURLToPath(url('no-proc-program.js'))];
    const output = execFileSync(process.execPath, args, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const result = JSON.parse(output) as Record<string, unknown> & { missed: number };
    expect(result.missed).to.be.within(0, 1);
    expect({ ...result, missed: 0 }).to.deep.equal({
      markKind: 'node-thread-id',
      missed: 0,
      holder: { slab: 1, adopted: false }, // of another kind than those that counted
      own: { slab: 2, adopted: false },
      after: { slab: 1, adopted: true },
      slabs: 3,
      listeners: 1,
    });
  });
});
