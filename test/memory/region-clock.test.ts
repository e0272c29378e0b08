import { expect } from 'chai';
import { TICK_HALF_INDEX, TICK_INDEX } from '../../src/memory/layout.ts';
import { Region } from '../../src/memory/region.ts';
import { newestTick, RegionClock } from '../../src/memory/region-clock.ts';
import { everyStep } from '../support/every-step.ts';
import { runTogether } from '../support/region-job.ts';

/** A region whose clock stands at tick `tick`, properly counted. */
function at(tick: number): Region {
  const region = Region.create(2 ** 20);
  region.words[TICK_INDEX] = tick | 0;
  region.words[TICK_HALF_INDEX] = Math.floor(tick / 2 ** 31);
  return region;
}

describe('RegionClock', () => {
  it('starts at 1, and stays there while one writer is alone', () => {
    const { words } = Region.create(2 ** 20);
    expect(newestTick(words)).to.equal(0);
    const clock = new RegionClock(words);
    expect([clock.now(), clock.now(), clock.now()]).to.deep.equal([1, 1, 1]);
    expect(newestTick(words)).to.equal(1);
  });

  it('takes a new tick exactly when another writer has taken one', () => {
    const { words } = Region.create(2 ** 20);
    const [a, b] = [new RegionClock(words), new RegionClock(words)];
    expect([a.now(), b.now(), b.now(), a.now(), a.now(), b.now()]).to.deep.equal([1, 2, 2, 3, 3, 4]);
  });

  it('stays at its tick and writes nothing to shared memory while alone', () => {
    const { words } = Region.create(2 ** 20);
    const clock = new RegionClock(words);
    clock.now();
    const before = words.slice(0, 1024);
    for (let i = 0; i < 1000; i++) clock.now();
    expect(words.slice(0, 1024)).to.deep.equal(before);
  });

  for (const [name, wrap] of [
    ['2^31', 2 ** 31],
    ['2^32', 2 ** 32],
    ['3 * 2^31', 3 * 2 ** 31],
    ['2^40', 2 ** 40],
  ] as const) {
    it(`counts on across ${name}`, () => {
      const { words } = at(wrap - 4);
      const clocks = [new RegionClock(words), new RegionClock(words)];
      const ticks = Array.from({ length: 8 }, (_, i) => clocks[i % 2]!.now());
      expect(ticks).to.deep.equal([-3, -2, -1, 0, 1, 2, 3, 4].map((d) => wrap + d));
      expect(newestTick(words)).to.equal(wrap + 4);
      expect(words[TICK_HALF_INDEX]).to.equal(wrap / 2 ** 31);
    });

    it(`mends the half that a thread, dead right after it crossed ${name}, has not counted`, () => {
      for (const mends of ['next writer', 'reader'] as const) {
        const { words } = at(wrap - 1);
        words[TICK_INDEX] = (wrap - 1 + 1) | 0; // the add is made, the half not counted
        if (mends === 'reader') expect(newestTick(words)).to.equal(wrap);
        expect(new RegionClock(words).now()).to.equal(wrap + 1);
        expect(words[TICK_HALF_INDEX]).to.equal(wrap / 2 ** 31);
        expect(newestTick(words)).to.equal(wrap + 1);
      }
    });

    it(`gives a thread that slept across ${name} the tick it took, and counts the half once`, () => {
      for (const sleeper of [wrap - 1, wrap])
        for (const stop of [1, 2, 3, 4]) {
          const region = at(sleeper - 1);
          const others: number[] = [];
          let step = 0;
          // At its stop the sleeper pauses, and others take ticks until they are beyond the wrap.
          const tick = everyStep(
            region,
            () => new RegionClock(region.words).now(),
            () => {
              if (++step !== stop) return;
              const clocks = [new RegionClock(region.words), new RegionClock(region.words)];
              for (let i = 0; i < 10; i++) others.push(clocks[i % 2]!.now());
            },
          );
          // Two steps for the add; two more where it is the sleeper that counts the half.
          expect(others.length > 0, `stop ${stop} of ${sleeper}`).to.equal(stop <= 2 || sleeper === wrap);
          const all = [...others, tick].sort((a, b) => a - b);
          expect(all).to.deep.equal(Array.from({ length: 1 + others.length }, (_, i) => sleeper + i));
          expect(region.words[TICK_HALF_INDEX]).to.equal(Math.floor((sleeper + others.length) / 2 ** 31));
        }
    });
  }

  it('orders sets that are ordered by happens-before, over threads and across the wrap', async () => {
    for (const start of [0, 2 ** 31 - 300, 2 ** 32 - 300]) {
      const threads = 3;
      const rounds = 200;
      const results = await runTogether<[number, number][]>(at(start), { kind: 'tick', rounds, threads }, threads);
      const byTurn = results.flatMap((ticks, thread) => ticks.map(([turn, tick]) => ({ turn, tick, thread })));
      byTurn.sort((a, b) => a.turn - b.turn); // stable: ticks of one turn stay in their order
      expect(byTurn).to.have.length(results.reduce((sum, { length }) => sum + length, 0));
      for (let i = 1; i < byTurn.length; i++) {
        const [before, after] = [byTurn[i - 1]!, byTurn[i]!];
        if (before.thread === after.thread) expect(after.tick).to.equal(before.tick);
        else expect(after.tick).to.equal(before.tick + 1);
      }
      expect(byTurn.at(-1)!.tick).to.equal(start + threads * rounds);
    }
  });

  it('gives writers that race for ticks different ones, each its own in rising order', async () => {
    const region = at(2 ** 32 - 2000);
    const results = await runTogether<number[]>(region, { kind: 'tick-freely', rounds: 20_000 }, 3);
    const distinct = results.map((ticks) => [...new Set(ticks)]);
    for (const ticks of results)
      for (let i = 1; i < ticks.length; i++) if (ticks[i]! < ticks[i - 1]!) expect.fail('the clock went back');
    const all = distinct.flat();
    expect(new Set(all).size, 'two writers had the same tick').to.equal(all.length);
    expect(Math.max(...all)).to.equal(newestTick(region.words));
    // Every tick taken was handed out to somebody: no number is skipped.
    expect(all).to.have.length(Math.max(...all) - (2 ** 32 - 2000));
  });
});
