import { expect } from 'chai';
import { setTimeout as wait } from 'node:timers/promises';
import { hasCallbacks, observationStats, observe } from '../../src/collect/observation.ts';
import { setObserves } from '../../src/memory/doorbell.ts';
import { PULSE_INDEX, SLAB_BYTES, SLAB_PULSE_WORD, SLAB_TABLE_OFFSET } from '../../src/memory/layout.ts';
import { Region } from '../../src/memory/region.ts';
import { acquireSlab } from '../../src/memory/slab.ts';
import { setOwnCallbacks } from '../../src/state/own-callbacks.ts';

/** How long a reader waits for a thread whose event loop turns, in milliseconds. */
const LONGEST = 1000;

/** Before the reader looks. */
const LOOKS = 41;

describe('a reader that asks for observations', () => {
  let region: Region;
  let slab: number;
  beforeEach(() => {
    region = Region.create(2 ** 20);
    slab = acquireSlab(region)!.slab; // of this thread, which answers no looks by itself
    setObserves(region, slab, true);
    region.words[PULSE_INDEX] = LOOKS;
  });
  const pulse = (value: number): void => {
    region.words[(SLAB_TABLE_OFFSET + slab * SLAB_BYTES) / 4 + SLAB_PULSE_WORD] = value;
  };
  /** What ends first: timers of one thread end in their order, however busy the machine is. */
  const first = (millis: number): Promise<string> =>
    Promise.race([wait(millis, 'the time'), observe(region, undefined).then(() => 'the wait for answers')]);

  it('does not wait for long for a thread whose event loop does not turn, and the next time hardly at all', async () => {
    pulse(LOOKS); // and no more
    expect(await first(LONGEST)).to.equal('the wait for answers');
    expect(await first(150)).to.equal('the wait for answers');
    expect(observationStats(region)).to.deep.equal({ silent: 1, missed: 2 });
  });

  it('has the callbacks of its own thread called for as long as it was given, and waits for them', async () => {
    const given: unknown[] = [];
    let end: ((errors: unknown[]) => void) | undefined;
    const runner = {
      onRing: () => {},
      run: (_request: number, timeoutMillis?: number) => {
        given.push(timeoutMillis);
        return new Promise<unknown[]>((resolve) => (end = resolve));
      },
    };
    setOwnCallbacks(region, { slab, runner });
    const observed = observe(region, 9000);
    expect(await Promise.race([observed, wait(1, 'waits')])).to.equal('waits');
    end!(['what failed']);
    expect(await observed).to.deep.equal(['what failed']);
    expect(given).to.deep.equal([9000]);
    expect(observationStats(region), 'none was waited for as another').to.deep.equal({
      silent: 0,
      missed: 0,
    });
  });

  it('knows whether there is anybody to be asked', () => {
    expect(hasCallbacks(region)).to.equal(true);
    expect(hasCallbacks(Region.create(2 ** 20))).to.equal(false);
  });

  it('waits for one whose loop turns, however long it was silent', async () => {
    pulse(LOOKS);
    await first(LONGEST);
    pulse(LOOKS + 2); // answers the look that comes
    expect(await first(100)).to.equal('the time');
  });
});
