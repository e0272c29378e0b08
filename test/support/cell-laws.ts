/**
 * Laws every cell obeys: whatever is recorded, a read gives what a plain object that was told the same holds.
 * Stated once here and run for each cell, in both forms, from versions that cross the sign and the wrap.
 */
import { expect } from 'chai';
import * as fc from 'fast-check';
import { makeMemory } from './stepped-memory.ts';
import type { Memory } from './stepped-memory.ts';

export interface CellUnderTest<Record> {
  readonly cellWords: number;
  readonly records: fc.Arbitrary<Record>;
  init(memory: Memory, at: number): void;
  record(memory: Memory, at: number, record: Record): void;
  /** What a read gives, through the cell's own read function. */
  read(memory: Memory, at: number): readonly number[];
  /** What the records so far amount to, computed without shared memory. */
  model(records: readonly Record[]): readonly number[];
}

const START_VERSIONS = [0, 0x7ffffff0, 0x7ffffffe, -16, -2];
const GUARD = 12345.678;

export function itObeysTheCellLaws<Record>(cell: CellUnderTest<Record>): void {
  const setups = fc.record({
    at: fc.integer({ min: 1, max: 9 }),
    version: fc.constantFrom(...START_VERSIONS),
  });

  function makeCell({ at, version }: { readonly at: number; readonly version: number }): Memory {
    const memory = makeMemory(at + cell.cellWords + 1);
    memory.doubles[at - 1] = GUARD;
    memory.doubles[at + cell.cellWords] = GUARD;
    memory.words[at << 1] = version;
    cell.init(memory, at);
    return memory;
  }

  it('reads as empty before the first record', () => {
    expect(cell.read(makeCell({ at: 1, version: 0 }), 1)).to.deep.equal(cell.model([]));
  });

  it('after each of any sequence of records, reads as the model says', () => {
    fc.assert(
      fc.property(setups, fc.array(cell.records, { maxLength: 40 }), (setup, records) => {
        const memory = makeCell(setup);
        records.forEach((record, i) => {
          cell.record(memory, setup.at, record);
          expect(cell.read(memory, setup.at)).to.deep.equal(cell.model(records.slice(0, i + 1)));
        });
      }),
    );
  });

  it('publishes one version per record, and the version wraps', () => {
    fc.assert(
      fc.property(setups, fc.array(cell.records, { maxLength: 40 }), (setup, records) => {
        const memory = makeCell(setup);
        for (const record of records) cell.record(memory, setup.at, record);
        expect(memory.words[setup.at << 1]).to.equal((setup.version + records.length) | 0);
      }),
    );
  });

  it('touches no memory outside its words', () => {
    fc.assert(
      fc.property(setups, fc.array(cell.records, { maxLength: 10 }), (setup, records) => {
        const memory = makeCell(setup);
        for (const record of records) cell.record(memory, setup.at, record);
        expect(memory.doubles[setup.at - 1]).to.equal(GUARD);
        expect(memory.doubles[setup.at + cell.cellWords]).to.equal(GUARD);
      }),
    );
  });
}
