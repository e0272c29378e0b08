import { expect } from 'chai';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import {
  PULSE_INDEX,
  SLAB_BYTES,
  SLAB_PULSE_WORD,
  SLAB_TABLE_OFFSET,
  SMALLEST_MAX_BYTES,
  UNIT_BYTES,
} from '../../src/memory/layout.ts';
import { answerPulses, PulseReader } from '../../src/memory/pulse.ts';
import { Region } from '../../src/memory/region.ts';
import { acquireSlab } from '../../src/memory/slab.ts';
import { SeqlockMeterProvider } from '../../src/index.ts';
import { collectGarbage } from '../support/collect-garbage.ts';
import { eventually } from '../support/eventually.ts';
import { needsProc } from '../support/marks.ts';
import type { Block } from '../support/observing-thread.ts';

const silences = (reader: PulseReader, now: number): Record<number, number> =>
  Object.fromEntries(reader.read(now).map(({ threadId, silentMillis }) => [threadId, silentMillis]));

describe('pulse', () => {
  let region: Region;
  let slab: number;
  let reader: PulseReader;
  beforeEach(() => {
    region = Region.create(SMALLEST_MAX_BYTES + UNIT_BYTES);
    ({ slab } = acquireSlab(region)!);
    reader = new PulseReader(region);
  });

  it('counts from the first look that a loop has not answered', async () => {
    answerPulses(region, slab);
    expect(silences(reader, 500)).to.deep.equal({ 0: 0 });
    reader.look(1000); // this loop cannot turn before the next await
    reader.look(2000);
    reader.look(3000);
    expect(silences(reader, 3500)).to.deep.equal({ 0: 2500 });
    await wait(10);
    expect(silences(reader, 4000)).to.deep.equal({ 0: 0 });
    reader.look(5000);
    expect(silences(reader, 5000.5), 'blocked anew').to.deep.equal({ 0: 0.5 });
  });

  it('knows no thread that answers no looks', () => {
    reader.look(1000);
    expect(reader.read()).to.deep.equal([]);
    answerPulses(region, slab);
    expect(reader.read()).to.deep.equal([{ slab, threadId: 0, silentMillis: 0 }]);
  });

  it('goes on when the number of looks wraps', async () => {
    region.words[PULSE_INDEX] = -2;
    answerPulses(region, slab);
    for (let i = 1; i < 4; i++) {
      reader.look(i);
      expect(silences(reader, i + 0.5)).to.deep.equal({ 0: 0.5 });
      await wait(10);
      expect(silences(reader, i + 0.5), `look ${i}`).to.deep.equal({ 0: 0 });
    }
  });

  it('does not take a turn between two looks for a block that lasts since the first', async () => {
    answerPulses(region, slab);
    reader.look(1000);
    expect(silences(reader, 1900)).to.deep.equal({ 0: 900 });
    await wait(10); // answers the first
    reader.look(2000);
    reader.look(3000);
    expect(silences(reader, 3100)).to.deep.equal({ 0: 1100 });
  });

  it('counts anew for a thread that answers an earlier look while a later one is made', () => {
    answerPulses(region, slab);
    reader.look(1000);
    reader.look(2000);
    expect(silences(reader, 2500)).to.deep.equal({ 0: 1500 });
    region.words[(SLAB_TABLE_OFFSET + slab * SLAB_BYTES) / 4 + SLAB_PULSE_WORD]!++;
    expect(silences(reader, 2500)).to.deep.equal({ 0: 500 });
  });

  it('is not answered any more once the store is closed', async () => {
    answerPulses(region, slab);
    region.close();
    await wait(10);
    reader.look(1000);
    await wait(10);
    expect(silences(reader, 1500)).to.deep.equal({ 0: 500 });
  });

  it('does not hold the memory of a store that nobody has any more', async () => {
    const forgotten = new WeakRef(Region.create(SMALLEST_MAX_BYTES));
    answerPulses(forgotten.deref()!, 0);
    await eventually(async () => {
      await collectGarbage();
      return forgotten.deref() === undefined ? true : undefined;
    }, 5000);
  });

  it('tells a blocked thread from one that works and one that is gone', async function () {
    needsProc.call(this);
    const provider = new SeqlockMeterProvider();
    const threads = await Promise.all(
      [1, 2, 3].map(async () => {
        const worker = new Worker(new URL('../support/observing-thread.js', import.meta.url), {
          workerData: [],
        });
        provider.getMeter('m').createCounter('c');
        await once(worker, 'message');
        return worker;
      }),
    );
    const [working, blocked, gone] = threads as [Worker, Worker, Worker];
    const ids = threads.map(({ threadId }) => threadId) as [number, number, number];
    try {
      const watch = new PulseReader(provider.store.region);
      await gone.terminate();
      blocked.postMessage({ blockMillis: 60_000 } satisfies Block);
      await once(blocked, 'message');
      const seen = await eventually(async () => {
        watch.look();
        await wait(50);
        const found = silences(watch, performance.now());
        return found[ids[1]]! > 500 && found[ids[0]] === 0 ? found : undefined;
      });
      expect(seen).to.include({ 0: 0, [ids[0]]: 0 });
      expect(seen).not.to.have.property(String(ids[2]));
    } finally {
      await Promise.all([working.terminate(), blocked.terminate()]);
      await provider.shutdown();
    }
  });
});
