import { expect } from 'chai';
import * as fc from 'fast-check';
import { attributesObject } from '../../../src/collect/directory/attribute-objects.ts';
import { attributeObjects, canonical } from '../../support/attribute-model.ts';

const SEED = Number(process.env['SEQLOCK_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

describe('attributesObject', () => {
  it(`has the keys and values of the attributes, and nothing else (seed: ${SEED})`, () => {
    fc.assert(
      fc.property(fc.array(attributeObjects, { maxLength: 10 }), (sets) => {
        const all = sets.map(canonical);
        // Twice, in another order: what is kept of a key set must not have anything of one of its series.
        for (const { keys, values } of [...all, ...[...all].reverse()]) {
          const object = attributesObject({ keys, values });
          expect(Object.getPrototypeOf(object)).to.equal(Object.prototype);
          expect(Object.entries(object)).to.have.deep.members(keys.map((key, i) => [key, values[i]]));
          expect(Object.keys(object)).to.have.length(keys.length);
        }
      }),
      { seed: SEED },
    );
  });

  it('is an object of its own for each series', () => {
    const { keys } = canonical({ a: 1, ['__proto__']: 2 });
    const [one, other] = [
      [1, 'x'],
      [2, 'y'],
    ].map((values) => attributesObject({ keys, values }));
    expect(Object.values(one!)).to.deep.equal([1, 'x']);
    expect(Object.values(other!)).to.deep.equal([2, 'y']);
  });
});
