import { expect } from 'chai';
import { collectWarnings } from '../support/warnings.ts';
import { damage, isForeignUntouched, sampleRegion, useRegion } from '../support/hostile-region.ts';

/** Numbers that look random and are the same in each run. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** `npm run test:hostile` makes more. */
const MUTATIONS = Number(process.env['SEQLOCK_HOSTILE_MUTATIONS'] ?? 1000);
/** Of a region; half of the regions have one. */
const MOST_MUTATIONS = 40;

describe('a region that somebody has damaged', function () {
  this.timeout(0);

  it('is used as far as it can be, or refused with a code, and nothing throws, hangs, reads or writes elsewhere', async () => {
    const sample = await sampleRegion();
    const log = collectWarnings(); // many, and nobody reads them
    const codes = new Map<string | undefined, number>();
    const seed = MUTATIONS > 10_000 ? Date.now() >>> 0 : 1;
    const random = generator(seed);
    let adopted = 0;
    let regions = 0;
    for (let mutations = 0; mutations < MUTATIONS; regions++) {
      const bytes = sample.bytes.slice();
      const count = random() < 0.5 ? 1 : 1 + Math.floor(random() * MOST_MUTATIONS);
      for (let i = 0; i < count; i++) damage(bytes, sample, random);
      mutations += count;
      try {
        const used = await useRegion(bytes);
        codes.set(used.code, (codes.get(used.code) ?? 0) + 1);
        if (used.isAdopted === true) adopted++;
        if (used.bytes !== undefined && !isForeignUntouched(sample, bytes, used.bytes))
          throw new Error("memory of another's was written to");
      } catch (error) {
        throw new Error(`region ${regions} of seed ${seed}`, { cause: error });
      }
      log.warnings.length = 0;
    }
    log.stop();
    expect([...codes.keys()].filter((code) => code !== undefined && !/^E_[A-Z]+$/.test(code))).to.deep.equal(
      [],
    );
    expect(codes.get(undefined), 'most damages leave something to read').to.be.above(regions / 2);
    expect(adopted, 'and something to go on with').to.be.above(regions / 8);
  });
});
