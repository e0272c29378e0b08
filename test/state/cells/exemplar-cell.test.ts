import { expect } from 'chai';
import * as fc from 'fast-check';
import {
  exemplarCellWords,
  exemplarCopyWords,
  exemplarTextBytes,
  readExemplar,
  writeExemplar,
  type StoredExemplar,
} from '../../../src/state/cells/exemplar-cell.ts';
import { itObeysTheCellLaws } from '../../support/cell-laws.ts';
import { makeMemory } from '../../support/stepped-memory.ts';

const TEXT_WORDS = 4;
const hex = (digits: number): fc.Arbitrary<string> =>
  fc
    .array(fc.constantFrom(...Array.from('0123456789abcdef')), { minLength: digits, maxLength: digits })
    .map((all) => all.join(''))
    .filter((id) => /[1-9a-f]/.test(id));

const text = fc
  .string({ unit: 'grapheme', maxLength: exemplarTextBytes(TEXT_WORDS) })
  .filter((all) => Buffer.byteLength(all) <= exemplarTextBytes(TEXT_WORDS) && !all.includes('\0'));

const exemplars: fc.Arbitrary<StoredExemplar> = fc.record({
  value: fc.double(),
  time: fc.integer({ min: 1, max: 2 ** 45 }),
  span: fc.option(fc.record({ traceId: hex(32), spanId: hex(16) }), { nil: undefined }),
  text,
});

describe('exemplar cell', () => {
  itObeysTheCellLaws<StoredExemplar>({
    cellWords: exemplarCellWords(TEXT_WORDS),
    records: exemplars,
    init() {},
    record: ({ words, doubles }, at, exemplar) => writeExemplar(words, doubles, at, TEXT_WORDS, exemplar),
    read({ words, doubles }, at) {
      const into = new Float64Array(exemplarCopyWords(TEXT_WORDS));
      const read = readExemplar(words, doubles, at, TEXT_WORDS, into)!;
      return [read.value, read.time, read.span !== undefined ? 1 : 0, read.text.length];
    },
    model(all) {
      const last = all.at(-1);
      return last === undefined
        ? [0, 0, 0, 0]
        : [last.value, last.time, last.span !== undefined ? 1 : 0, last.text.length];
    },
  });

  const written = (exemplar: StoredExemplar, textWords = TEXT_WORDS): StoredExemplar | undefined => {
    const { words, doubles } = makeMemory(1 + exemplarCellWords(textWords));
    writeExemplar(words, doubles, 1, textWords, exemplar);
    return readExemplar(words, doubles, 1, textWords, new Float64Array(exemplarCopyWords(textWords)));
  };

  it('gives back value, time, ids and text to the last bit', () => {
    fc.assert(fc.property(exemplars, (exemplar) => void expect(written(exemplar)).to.deep.equal(exemplar)));
  });

  it('holds ids of all bits set, which as a float64 would be a NaN', () => {
    const span = { traceId: 'f'.repeat(32), spanId: 'f'.repeat(16) };
    expect(written({ value: 1, time: 2, span, text: '' }, 0)).to.deep.equal({
      value: 1,
      time: 2,
      span,
      text: '',
    });
  });

  for (const [what, traceId, spanId] of [
    ['too short', 'ab', '0123456789abcdef'],
    ['not hexadecimal', 'x'.repeat(32), '0123456789abcdef'],
    ['of a short trace id and a long span id', 'a'.repeat(30), 'b'.repeat(18)],
    ['invalid, all zero', '0'.repeat(32), '0'.repeat(16)],
  ] as const)
    it(`takes ids that are ${what} for none`, () => {
      expect(written({ value: 1, time: 2, span: { traceId, spanId }, text: '' })!.span).to.equal(undefined);
    });
});
