/** Threads that die in the middle of what they do to the store: real ones, terminated at an exact step. */
import { expect } from 'chai';
import { dieAtSteps } from '../support/deaths.ts';
import { DYING_PHASES } from '../support/dying-job.ts';
import { needsProc } from '../support/marks.ts';

/** All steps take long; `npm run test:threads` takes them all. */
const EVERY = 6;

describe('death of a thread', () => {
  before(needsProc);

  for (const phase of DYING_PHASES)
    it(`in the middle of ${phase} loses nothing`, async () => {
      expect(await dieAtSteps(phase, EVERY)).to.be.at.least(3);
    });
});
