import { expect } from 'chai';
import { MAX_TRIES, cellWords, readConsistentFast, readConsistentStrict } from '../../src/memory/cell.ts';
import { BROKEN_CELLS } from '../support/broken-cells.ts';
import type { CellProtocol } from '../support/cell-protocol.ts';
import {
  AT,
  deals,
  isViolation,
  readerAccesses,
  recordScript,
  runReader,
  stateOf,
} from '../support/interleavings.ts';
import type { Script } from '../support/interleavings.ts';
import { REAL_CELLS } from '../support/real-cells.ts';
import { applyStore, copyMemory, makeMemory, watch } from '../support/stepped-memory.ts';

/** Even versions from which a few updates cross nothing, the sign, and the wrap to 0. */
const START_VERSIONS = [0, 0x7ffffffe, -2];

/** A cell with hundred thousands of interleavings is looked at across the wrap alone. */
const startVersionsOf = ({ cellWords }: CellProtocol): readonly number[] =>
  cellWords > 24 ? START_VERSIONS.slice(-1) : START_VERSIONS;

/** Two where three would be millions of interleavings; those of an exponential histogram are moves. */
const updatesOf = ({ name }: CellProtocol): number => (/^carried histogram|^exponential/.test(name) ? 2 : 3);

const startsOf = ({ starts = [2] }: CellProtocol): readonly number[] => starts;

/** Times the writer may run within one attempt of the reader. Three for small cells; a histogram has more steps. */
const burstsOf = (script: Script): number => (script.stores.length > 12 ? 2 : 3);

function violations(script: Script): number {
  let found = 0;
  for (const dealt of deals(script.stores.length, readerAccesses(script), burstsOf(script))) {
    if (isViolation(runReader(script, dealt))) found++;
  }
  return found;
}

/** The distinct outcomes of a reader during one update, as `state it saw / attempts it took`. */
function outcomesOfOneUpdate(protocol: CellProtocol, start: number): string[] {
  const script = recordScript(protocol, 0, start, 1);
  const seen = new Set<string>();
  for (const dealt of deals(script.stores.length, readerAccesses(script), burstsOf(script))) {
    const { update, attempts } = runReader(script, dealt);
    seen.add(`${update === start ? 'old' : update === start + 1 ? 'new' : 'torn'}/${attempts}`);
  }
  return [...seen].sort();
}

describe('cell', () => {
  describe('every interleaving of a reader with three updates, or two', () => {
    for (const protocol of REAL_CELLS) {
      for (const version of startVersionsOf(protocol)) {
        for (const start of startsOf(protocol))
          it(`${protocol.name} from version ${version} and update ${start}: only whole states of the reader's own time`, () => {
            expect(violations(recordScript(protocol, version, start, updatesOf(protocol)))).to.equal(0);
          });
      }
    }
    for (const protocol of BROKEN_CELLS) {
      it(`catches: ${protocol.name}`, () => {
        expect(violations(recordScript(protocol, 0, 2, 3))).to.be.greaterThan(0);
      });
    }
  });

  describe('the outcomes of a reader during one update', () => {
    for (const protocol of REAL_CELLS) {
      for (const start of startsOf(protocol))
        it(`${protocol.name} after ${start}: old or new at once, or new at the second attempt`, () => {
          expect(outcomesOfOneUpdate(protocol, start)).to.deep.equal(['new/1', 'new/2', 'old/1']);
        });
    }
    it('a writer that fills the published slot shows torn states as well', () => {
      const broken = BROKEN_CELLS.find(({ name }) => name.startsWith('writer fills the slot'))!;
      expect(outcomesOfOneUpdate(broken, 2)).to.include('torn/1');
    });
  });

  describe('the publish', () => {
    for (const protocol of REAL_CELLS.filter(({ name }) => !name.startsWith('carried'))) {
      it(`${protocol.name}: is the last store of an update, and its only store to the version`, () => {
        const { stores } = recordScript(protocol, 0, 2, 1);
        const toVersion = stores.flatMap(({ array, index }, i) =>
          array === 'words' && index === AT << 1 ? [i] : [],
        );
        expect(toVersion).to.deep.equal([stores.length - 1]);
      });
    }
  });

  describe('a writer that dies', () => {
    for (const protocol of REAL_CELLS)
      for (const version of START_VERSIONS)
        for (const start of startsOf(protocol)) {
          it(`${protocol.name} from version ${version} and update ${start}: after any store, the last state stands and a new owner goes on`, () => {
            const script = recordScript(protocol, version, start, 2);
            for (let made = 0; made <= script.stores.length; made++) {
              const memory = copyMemory(script.start);
              for (const store of script.stores.slice(0, made)) applyStore(memory, store);
              const into = new Float64Array(protocol.expected(0).length);
              const read = (): number => {
                expect(protocol.read(memory.words, memory.doubles, AT, into)).to.equal(1);
                return stateOf({ ...script, published: [start + 4] }, into);
              };
              let k = script.published[made]!;
              expect(read(), `after ${made} stores`).to.equal(k);
              protocol.adopt?.(memory.words, memory.doubles, AT);
              expect(read(), `after ${made} stores and an adoption`).to.equal(k);
              while (k < start + 4) {
                protocol.write(memory.words, memory.doubles, AT, ++k);
                expect(read(), `after ${made} stores and an adoption`).to.equal(k);
              }
            }
          });
        }
  });

  describe('readConsistent', () => {
    for (const [name, read] of [
      ['FAST', readConsistentFast],
      ['STRICT', readConsistentStrict],
    ] as const) {
      it(`${name} gives up after MAX_TRIES attempts when every copy is overtaken`, () => {
        const memory = makeMemory(AT + cellWords(2, 0));
        let loads = 0;
        const overtake = (): void => {
          // Version, two slot words, version: a publish before every fourth access.
          if (++loads % 4 === 0) memory.words[AT << 1]! += 1;
        };
        const into = new Float64Array(2);
        const attempts = watch(memory, overtake, (words, doubles) => read(words, doubles, AT, 2, 0, into));
        expect(attempts).to.equal(0);
        expect(loads).to.equal(4 * MAX_TRIES);
      });

      it(`${name} leaves version and data as they were`, () => {
        const memory = makeMemory(AT + cellWords(2, 3));
        memory.doubles.forEach((_, i) => (memory.doubles[i] = i));
        memory.words[AT << 1] = 7;
        const before = copyMemory(memory);
        const into = new Float64Array(5);
        expect(read(memory.words, memory.doubles, AT, 2, 3, into)).to.equal(1);
        expect(memory.words).to.deep.equal(before.words);
        // Version 7 is odd: slot 1, behind the version and slot 0; then the tail.
        expect([...into]).to.deep.equal([3, 4, 5, 6, 7].map((i) => AT + i));
      });
    }
  });
});
