/** Series that are removed, over several writers and readers. */
import { expect } from 'chai';
import * as fc from 'fast-check';
import { DEFAULT_MAX_BYTES } from '../../../src/memory/layout.ts';
import { Region } from '../../../src/memory/region.ts';
import type { StoreWriter } from '../../../src/state/store-writer.ts';
import { counter } from '../../support/descriptions.ts';
import { needsProc } from '../../support/marks.ts';
import { bury, newWriter } from '../../support/writers.ts';
import { recordTo } from '../../support/record-to.ts';
import { OVERFLOW, SetExporter, type Values } from '../../support/set-exporter.ts';

const SEED = Number(process.env['SEQLOCK_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const WRITERS = 3;
const LIMIT = 6;

const description = { ...counter('c'), cardinalityLimit: LIMIT };

/** Collecting and replacing do not look at `writer`, and only some look at `set`. */
interface Step {
  readonly do: 'record' | 'bound' | 'remove' | 'clear' | 'die' | 'collect' | 'replace';
  readonly writer: number;
  readonly set: number;
}

const often = (weight: number, ...what: Step['do'][]): fc.WeightedArbitrary<Step['do']> => ({
  weight,
  arbitrary: fc.constantFrom(...what),
});

const step: fc.Arbitrary<Step> = fc.record({
  do: fc.oneof(
    often(8, 'record', 'bound'),
    often(4, 'remove'),
    often(1, 'clear', 'die'),
    often(3, 'collect'),
    often(1, 'replace'),
  ),
  writer: fc.nat(WRITERS - 1),
  set: fc.nat(7),
});

describe('a series that is removed', function () {
  before(needsProc);

  it(`is exported no more, and comes back from zero, whoever removes it (seed: ${SEED})`, () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80, size: 'max' }), (steps) => {
        const region = Region.create(DEFAULT_MAX_BYTES);
        const writers = new Map<number, StoreWriter>();
        const bound = new Map<string, { record(value: number): void }>();
        const model: Values = new Map();
        const since: Values = new Map(); // the last collection
        let exporter = new SetExporter(region);
        const collect = (): void => {
          expect(exporter.totals()).to.deep.equal(model);
          const deltas = exporter.deltas();
          for (const [key, value] of since)
            if (model.has(key)) expect(deltas.get(key), `delta of ${String(key)}`).to.equal(value);
          for (const key of deltas.keys()) expect(since.has(key), `delta of ${String(key)}`).to.equal(true);
          since.clear();
          for (const one of writers.values()) one.followEndings(); // their event loops turn
        };
        for (const now of [...steps, { do: 'collect' as const, writer: 0, set: 0 }]) {
          if (now.do === 'collect') collect();
          else if (now.do === 'replace') exporter = exporter.replaced();
          else {
            const one = writers.get(now.writer) ?? newWriter(region);
            writers.set(now.writer, one);
            const stream = one.stream(description, LIMIT);
            if (now.do === 'die') {
              bury(one);
              writers.delete(now.writer);
              for (const key of bound.keys()) if (key.startsWith(`${now.writer} `)) bound.delete(key);
            } else if (now.do === 'clear') {
              stream.clear();
              model.clear();
              since.clear();
              collect(); // others hear of it
            } else if (now.do === 'remove') {
              stream.remove({ set: now.set });
              model.delete(now.set);
              since.delete(now.set);
              collect();
            } else {
              if (!model.has(now.set) && [...model.keys()].filter((key) => key !== OVERFLOW).length >= LIMIT)
                continue; // what goes to the overflow series depends on who recorded it
              const key = `${now.writer} ${now.set}`;
              if (now.do === 'record') recordTo(stream, 1, { set: now.set });
              else {
                const series = bound.get(key) ?? stream.bind({ set: now.set });
                bound.set(key, series);
                series.record(1);
              }
              for (const values of [model, since]) values.set(now.set, (values.get(now.set) ?? 0) + 1);
            }
          }
        }
      }),
      { seed: SEED, numRuns: 80 },
    );
  });
});
