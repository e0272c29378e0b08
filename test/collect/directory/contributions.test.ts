import { expect } from 'chai';
import * as fc from 'fast-check';
import { Contributions, NONE, type Contribution } from '../../../src/collect/directory/contributions.ts';

const SEED = Number(process.env['SEQLOCK_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

const contributions = fc.record({
  cell: fc.integer({ min: 8704, max: 2 ** 27 }),
  slab: fc.integer({ min: 0, max: 1023 }),
  standing: fc.nat(),
});
/** To which series a contribution goes, as a share of those there are; 1: to a new one. */
const places = fc.oneof(fc.constant(1), fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }));

function listOf(kept: Contributions, series: number): Contribution[] {
  const list: Contribution[] = [];
  for (let node = kept.firstOf(series); node !== NONE; node = kept.nextOf(node)) {
    if (list.length === kept.size) throw new Error('a list without an end');
    list.push({
      cell: kept.cellOf(node),
      slab: kept.slabOf(node),
      standing: kept.standingOf(node),
    });
  }
  return list;
}

describe('Contributions', () => {
  it(`are lists in the order in which they were added, whoever added to what (seed: ${SEED})`, () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 60 }),
        fc.array(fc.tuple(places, contributions), { maxLength: 200 }),
        (alone, more) => {
          const kept = new Contributions();
          const model: Contribution[][] = [];
          const steps = [
            ...Array.from(
              { length: alone },
              (_, i) => [1, { cell: 9000 + i, slab: 3, standing: i }] as const,
            ),
            ...more, // until then, there was one writer
          ];
          for (const [place, contribution] of steps) {
            const series = place === 1 ? model.length : Math.floor(place * model.length);
            if (series === model.length) {
              kept.begin(series, contribution);
              model.push([contribution]);
            } else {
              kept.append(series, contribution);
              model[series]!.push(contribution);
            }
          }
          expect(model.map((_, series) => listOf(kept, series))).to.deep.equal(model);
          expect(kept.size).to.equal(steps.length);
          expect([...kept.cells()]).to.deep.equal(steps.map(([, { cell }]) => cell));
        },
      ),
      { seed: SEED },
    );
  });
});
