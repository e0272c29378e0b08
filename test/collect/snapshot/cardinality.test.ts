/** Several writers exceed a cardinality limit together, and readers take each other's place. */
import { expect } from 'chai';
import * as fc from 'fast-check';
import { DEFAULT_MAX_BYTES } from '../../../src/memory/layout.ts';
import { Region } from '../../../src/memory/region.ts';
import type { StoreWriter } from '../../../src/state/store-writer.ts';
import { counter } from '../../support/descriptions.ts';
import { needsProc } from '../../support/marks.ts';
import { collectWarnings } from '../../support/warnings.ts';
import { bury, newWriter } from '../../support/writers.ts';
import { recordTo } from '../../support/record-to.ts';
import { OVERFLOW, SetExporter, type Values } from '../../support/set-exporter.ts';

const SEED = Number(process.env['SEQLOCK_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

describe('a cardinality limit that several writers exceed', function () {
  let stop: () => void;
  before(needsProc);
  before(() => ({ stop } = collectWarnings()));
  after(() => stop());

  it('lets in the same sets for each reader that takes the place of another', () => {
    const region = Region.create(DEFAULT_MAX_BYTES);
    const [first, second] = [newWriter(region), newWriter(region)];
    const record = (writer: StoreWriter, set: number): void =>
      recordTo(writer.stream({ ...counter('c'), cardinalityLimit: 8 }, 8), 1, { set });
    // The reader meets the sets of the second writer first; a new one reads the directory of the first first.
    record(first, 0);
    for (let set = 100; set < 107; set++) record(second, set);
    const exporter = new SetExporter(region);
    exporter.totals();
    for (let set = 1; set < 8; set++) record(first, set);
    const totals = exporter.totals();
    expect(totals.get(OVERFLOW)).to.equal(7);
    expect(exporter.replaced().totals()).to.deep.equal(totals);
  });

  it(`keeps every total and delta, whoever dies and is replaced (seed: ${SEED})`, () => {
    type Step = { writer: number; set: number; dies: boolean } | { collect: true } | { replace: true };
    const step: fc.Arbitrary<Step> = fc.oneof(
      {
        weight: 8,
        arbitrary: fc.record({
          writer: fc.nat(2),
          set: fc.nat(9),
          dies: fc.nat(9).map((n) => n === 0),
        }),
      },
      { weight: 2, arbitrary: fc.constant({ collect: true } as const) },
      { weight: 1, arbitrary: fc.constant({ replace: true } as const) },
    );
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 80, size: 'max' }),
        fc.integer({ min: 1, max: 9 }),
        (steps, limit) => {
          const region = Region.create(DEFAULT_MAX_BYTES);
          const writers = new Map<number, StoreWriter>();
          const sets = new Set<number>();
          let exporter = new SetExporter(region);
          let before: Values = new Map();
          const told: Values = new Map();
          let recorded = 0;
          for (const now of [...steps, { collect: true as const }]) {
            if ('replace' in now) exporter = exporter.replaced();
            else if ('collect' in now) {
              const totals = exporter.totals();
              for (const [set, delta] of exporter.deltas()) told.set(set, (told.get(set) ?? 0) + delta);
              expect(told).to.deep.equal(totals);
              for (const [set, total] of before) expect(totals.get(set) ?? 0).to.be.at.least(total);
              expect([...totals.values()].reduce((sum, total) => sum + total, 0)).to.equal(recorded);
              const within = [...totals.keys()].filter((set) => set !== OVERFLOW);
              expect(within).to.have.length(Math.min(limit, sets.size));
              before = totals;
            } else {
              const { writer: number, set, dies } = now;
              const writer = writers.get(number) ?? newWriter(region);
              writers.set(number, writer);
              recordTo(writer.stream({ ...counter('c'), cardinalityLimit: limit }, limit), 1, { set });
              sets.add(set);
              recorded++;
              if (dies) {
                bury(writer);
                writers.delete(number);
              }
            }
          }
        },
      ),
      { seed: SEED, numRuns: 60 },
    );
  });
});
