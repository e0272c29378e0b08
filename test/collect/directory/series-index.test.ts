import type { Attributes } from '@opentelemetry/api';
import { expect } from 'chai';
import * as fc from 'fast-check';
import { SeriesIndex } from '../../../src/collect/directory/series-index.ts';
import { attributeObjects, canonical, identityOf } from '../../support/attribute-model.ts';

const SEED = Number(process.env['SEQLOCK_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

describe('SeriesIndex', () => {
  it(`finds a series by whatever is the same attribute set, and by nothing else (seed: ${SEED})`, () => {
    fc.assert(
      fc.property(fc.array(attributeObjects, { maxLength: 60 }), (sets) => {
        const kept: Attributes[] = [];
        const index = new SeriesIndex((series) => kept[series]!);
        const model = new Map<string, number>();
        for (const set of sets) {
          const attributes = canonical(set);
          const hash = index.hashOf(attributes);
          const found = index.find(hash, attributes);
          expect(found).to.equal(model.get(identityOf(set)) ?? -1);
          if (found !== -1) continue;
          index.add(hash, kept.length);
          model.set(identityOf(set), kept.length);
          kept.push(
            Object.fromEntries(attributes.keys.map((key, i) => [key, attributes.values[i]])) as Attributes,
          );
        }
      }),
      { seed: SEED },
    );
  });

  it('finds every one of many series, however often it has grown', () => {
    const kept: Attributes[] = [];
    const index = new SeriesIndex((series) => kept[series]!);
    for (let id = 0; id < 1000; id++) {
      expect(index.find(index.hashOf(canonical({ id })), canonical({ id }))).to.equal(-1);
      index.add(index.hashOf(canonical({ id })), id);
      kept.push({ id });
    }
    for (let id = 0; id < 1000; id++)
      expect(index.find(index.hashOf(canonical({ id })), canonical({ id }))).to.equal(id);
  });

  it('tells apart sets whose hashes are equal', () => {
    const kept: Attributes[] = [{ a: 1 }, { a: 2 }];
    const index = new SeriesIndex((series) => kept[series]!);
    index.add(7, 0);
    index.add(7, 1);
    expect(index.find(7, canonical({ a: 2 }))).to.equal(1);
    expect(index.find(7, canonical({ a: 1 }))).to.equal(0);
    expect(index.find(7, canonical({ a: 3 }))).to.equal(-1);
    expect(index.find(7, canonical({ a: 1, b: 1 }))).to.equal(-1);
    expect(index.find(7, canonical({}))).to.equal(-1);
  });

  it('spreads long texts that differ anywhere', () => {
    const index = new SeriesIndex(() => ({}));
    const hashes = new Set<number>();
    for (let i = 0; i < 1000; i++)
      for (const at of [0, 500, 990]) {
        const text = Array.from('x'.repeat(1000));
        text.splice(at, 5, String(i).padStart(5, '0'));
        hashes.add(index.hashOf(canonical({ text: text.join('') })));
      }
    expect(hashes.size).to.be.above(2990);
  });

  it('spreads the values of many series', () => {
    const index = new SeriesIndex(() => ({}));
    const hashes = new Set<number>();
    for (let i = 0; i < 100_000; i++) hashes.add(index.hashOf(canonical({ id: i, route: `/r/${i % 100}` })));
    expect(hashes.size).to.be.greaterThan(99_900);
  });
});
