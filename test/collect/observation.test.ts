import { expect } from 'chai';
import { setTimeout as wait } from 'node:timers/promises';
import { observationStats, observeElsewhere } from '../../src/collect/observation.ts';
import { setObserves } from '../../src/memory/doorbell.ts';
import { PULSE_INDEX, SLAB_BYTES, SLAB_PULSE_WORD, SLAB_TABLE_OFFSET } from '../../src/memory/layout.ts';
import { Region } from '../../src/memory/region.ts';
import { acquireSlab } from '../../src/memory/slab.ts';

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
    Promise.race([
      wait(millis, 'the time'),
      observeElsewhere(region, -1, undefined).then(() => 'the wait for answers'),
    ]);

  it('does not wait for long for a thread whose event loop does not turn, and the next time hardly at all', async () => {
    pulse(LOOKS); // and no more
    expect(await first(LONGEST)).to.equal('the wait for answers');
    expect(await first(150)).to.equal('the wait for answers');
    expect(observationStats(region)).to.deep.equal({ silent: 1, missed: 2 });
  });

  it('waits for one whose loop turns, however long it was silent', async () => {
    pulse(LOOKS);
    await first(LONGEST);
    pulse(LOOKS + 2); // answers the look that comes
    expect(await first(100)).to.equal('the time');
  });
});
