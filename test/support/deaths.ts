/** Deaths at the steps of a phase, one by one, and what must hold after each. */
import { expect } from 'chai';
import { StoreReader } from '../../src/collect/directory/store-reader.ts';
import { slabsUsed } from '../../src/memory/slab.ts';
import { dieAt, DYING_WORKER, recordOnce, type Death, type DyingPhase } from './dying-job.ts';
import { totalOf } from './region-contents.ts';
import { collectWarnings } from './warnings.ts';
import { heirOf } from './writers.ts';

const AT_ONCE = 4;

/** Has a thread die at every so many-th step of a phase; how many died. Throws when anything was lost by one. */
export async function dieAtSteps(phase: DyingPhase, every: number): Promise<number> {
  let deaths = 0;
  for (let step = 0, isOver = false; !isOver; step += every * AT_ONCE) {
    const steps = Array.from({ length: AT_ONCE }, (_, i) => step + i * every);
    for (const [i, death] of (await Promise.all(steps.map((one) => dieAt(phase, one)))).entries()) {
      if (death.left === undefined) isOver = true;
      else {
        expectSound(death, steps[i]!);
        deaths++;
      }
    }
  }
  return deaths;
}

/** What must hold whatever the step: nothing is lost, nobody is held up, and the next thread can go on. */
function expectSound({ left, recorded, uncertain }: Death, step: number): void {
  const region = left!;
  const about = `death at step ${step}`;
  const { warnings, stop } = collectWarnings();
  try {
    const total = totalOf(region, 'requests');
    const wasTaken = slabsUsed(region) > 0; // else the thread died before its slab could be found
    expect(total, about).to.be.within(recorded, recorded + Math.max(uncertain, 1));
    for (let heirs = 1; heirs <= 3; heirs++) {
      // Of this thread, which stays alive: the first takes over what there is.
      const heir = heirOf(DYING_WORKER, region, (writer) => recordOnce(writer, { heirs }));
      if (heirs === 1 && wasTaken) expect([heir.slab, heir.adopted], about).to.deep.equal([0, true]);
      expect(totalOf(region, 'requests'), about).to.equal(total + heirs);
    }
    expect(slabsUsed(region), about).to.be.at.most(wasTaken ? 3 : 4);
    const reader = new StoreReader(region);
    reader.refresh();
    expect(reader.scopes[0]!.streams, about).to.have.length(1);
    expect(warnings, about).to.deep.equal([]);
  } finally {
    stop();
  }
}
