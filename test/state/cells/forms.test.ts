/** The two forms of a cell's code are one text but for the line that publishes, or looks again. */
import { expect } from 'chai';
import { readConsistentFast, readConsistentStrict } from '../../../src/memory/cell.ts';
import {
  recordToExponentialFast,
  recordToExponentialStrict,
} from '../../../src/state/cells/exponential-histogram-cell.ts';
import { recordToHistogramFast, recordToHistogramStrict } from '../../../src/state/cells/histogram-cell.ts';
import { setLastValueFast, setLastValueStrict } from '../../../src/state/cells/last-value-cell.ts';
import { addToSharedFast, addToSharedStrict } from '../../../src/state/cells/shared-value-cell.ts';
import { addToSumFast, addToSumStrict } from '../../../src/state/cells/sum-cell.ts';

const PUBLISH = {
  fast: 'words[at << 1] = (version + 1) | 0;',
  strict: 'Atomics.exchange(words, at << 1, (version + 1) | 0);',
};
const LOOK_AGAIN = {
  fast: 'if (Atomics.load(words, versionIndex) === version)',
  strict: 'if (Atomics.add(words, versionIndex, 0) === version)',
};

const PAIRS = [
  [addToSumFast, addToSumStrict, PUBLISH],
  [setLastValueFast, setLastValueStrict, PUBLISH],
  [addToSharedFast, addToSharedStrict, PUBLISH],
  [recordToHistogramFast, recordToHistogramStrict, PUBLISH],
  [recordToExponentialFast, recordToExponentialStrict, PUBLISH],
  [readConsistentFast, readConsistentStrict, LOOK_AGAIN],
] as const;

describe('the forms FAST and STRICT', () => {
  for (const [fast, strict, line] of PAIRS)
    it(`${fast.name} and ${strict.name} differ in one line`, () => {
      const text = String(fast);
      expect(text.split(line.fast)).to.have.length(2);
      expect(String(strict)).to.equal(text.replace(line.fast, line.strict));
    });
});
