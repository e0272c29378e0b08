import { expect } from 'chai';
import { damaged, sampleRegion, useRegion } from '../support/hostile-region.ts';

/** Numbers that look random and are the same in each run. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** How many mutations `npm run test:hostile` makes. */
const RUNS = Number(process.env['SEQLOCK_HOSTILE_RUNS'] ?? 200);

describe('a region that somebody has damaged', function () {
  this.timeout(0);

  it('is used as far as it can be, or refused with a code, and nothing throws, hangs or reads elsewhere', () => {
    const sample = sampleRegion();
    const codes = new Map<string | undefined, number>();
    const seed = RUNS > 10_000 ? Date.now() >>> 0 : 1;
    const random = generator(seed);
    for (let run = 0; run < RUNS; run++) {
      const bytes = damaged(sample, random);
      let code: string | undefined;
      try {
        code = useRegion(bytes);
      } catch (error) {
        throw new Error(`run ${run} of seed ${seed}`, { cause: error });
      }
      codes.set(code, (codes.get(code) ?? 0) + 1);
    }
    expect([...codes.keys()].filter((code) => code !== undefined && !/^E_[A-Z]+$/.test(code))).to.deep.equal(
      [],
    );
    expect(codes.get(undefined), 'most damages leave something to read').to.be.above(RUNS / 2);
  });
});
