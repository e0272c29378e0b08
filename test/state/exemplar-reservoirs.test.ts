import { expect } from 'chai';
import { Warnings } from '../../src/base/warnings.ts';
import { DirectoryLog } from '../../src/memory/directory-log.ts';
import { EXEMPLAR_BYTES_INDEX } from '../../src/memory/layout.ts';
import { Region } from '../../src/memory/region.ts';
import {
  exemplarCellWords,
  exemplarCopyWords,
  readExemplar,
  type StoredExemplar,
} from '../../src/state/cells/exemplar-cell.ts';
import { decodeExemplars } from '../../src/state/exemplar-record.ts';
import { ExemplarReservoirs, type MeasuredAttributes } from '../../src/state/exemplar-reservoirs.ts';
import type { ReservoirChoice } from '../../src/state/stream-choices.ts';
import { EXEMPLARS_RECORD } from '../../src/state/records.ts';
import { recordsOf } from '../support/region-contents.ts';
import { collectWarnings } from '../support/warnings.ts';

const SPAN = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) };
const NONE: MeasuredAttributes = { attributes: {}, measured: undefined, keeps: undefined };
const STREAM = 3;
const OVERFLOW_CELL = 8000;
const OF_STREAM = { id: STREAM, overflowCell: OVERFLOW_CELL };
const CELL = 9000;
const OF_FOUR: ReservoirChoice = { type: 'fixed-size', size: 4 };
const ALIGNED: ReservoirChoice = { type: 'aligned-buckets' };

function memory(maxBytes = 2 ** 20) {
  const region = Region.create(maxBytes);
  return { region, log: new DirectoryLog(region, 0), warnings: new Warnings(), maxValueLength: 2000 };
}

/** What the reservoirs of a region hold: by cell of the series, place by place. */
function contents(region: Region): Map<number, (StoredExemplar | undefined)[]> {
  const blocks = recordsOf(region)
    .filter(({ kind }) => kind === EXEMPLARS_RECORD)
    .map(({ payload }) => decodeExemplars(payload));
  return new Map(
    blocks.map(({ cell, block, places, textWords }) => [
      cell,
      Array.from({ length: places }, (_, place) => {
        const at = block + place * exemplarCellWords(textWords);
        const into = new Float64Array(exemplarCopyWords(textWords));
        return Atomics.load(region.words, at << 1) === 0
          ? undefined
          : readExemplar(region.words, region.doubles, at, textWords, into);
      }),
    ]),
  );
}

function warningsOf(work: () => void): readonly string[] {
  const { warnings, stop } = collectWarnings();
  try {
    work();
  } finally {
    stop();
  }
  return warnings;
}

const valuesOf = (region: Region, cell = CELL): (number | undefined)[] =>
  contents(region)
    .get(cell)!
    .map((exemplar) => exemplar?.value);

describe('ExemplarReservoirs', () => {
  it('take no memory before the first measurement is offered', () => {
    const shared = memory();
    void new ExemplarReservoirs(shared, OF_STREAM, OF_FOUR, 0, false);
    expect(recordsOf(shared.region)).to.have.length(0);
  });

  it('keep value, time and span, and name the stream and the cell of the series', () => {
    const shared = memory();
    const before = Date.now();
    new ExemplarReservoirs(shared, OF_STREAM, OF_FOUR, 0, false).offer(CELL, 0, 1.5, SPAN, NONE);
    expect(decodeExemplars(recordsOf(shared.region)[0]!.payload)).to.deep.include({
      stream: STREAM,
      cell: CELL,
      places: 4,
      textWords: 0,
    });
    const [kept, ...rest] = contents(shared.region).get(CELL)!;
    expect(kept).to.deep.include({ value: 1.5, span: SPAN, text: '' });
    expect(kept!.time).to.be.within(before, Date.now());
    expect(rest).to.deep.equal([undefined, undefined, undefined]);
  });

  it('of a fixed size keep all until they are full', () => {
    const shared = memory();
    const reservoirs = new ExemplarReservoirs(shared, OF_STREAM, OF_FOUR, 0, false);
    for (const value of [1, 2, 3, 4]) reservoirs.offer(CELL, 0, value, SPAN, NONE);
    expect(valuesOf(shared.region)).to.deep.equal([1, 2, 3, 4]);
  });

  for (const [name, choice, buckets, kept] of [
    ['of a fixed size', OF_FOUR, 0, 4],
    ['of one a bucket', ALIGNED, 3, 1],
  ] as const)
    it(`${name} keep each of many measurements with equal chance`, () => {
      const OFFERED = 20;
      const TRIALS = 4000;
      const counts = Array.from({ length: OFFERED }, () => 0);
      const shared = memory(2 ** 24);
      const reservoirs = new ExemplarReservoirs(shared, OF_STREAM, choice, buckets, false);
      for (let trial = 0; trial < TRIALS; trial++) {
        shared.region.noteCollection();
        for (let value = 0; value < OFFERED; value++) reservoirs.offer(CELL, 0, value, SPAN, NONE);
        for (const value of valuesOf(shared.region)) if (value !== undefined) counts[value]!++;
      }
      const expected = (TRIALS * kept) / OFFERED;
      // Six standard deviations of a binomial: fails by chance once in hundreds of millions.
      for (const count of counts)
        expect(count).to.be.within(expected - 6 * Math.sqrt(expected), expected + 6 * Math.sqrt(expected));
    });

  it('aligned with buckets keep each measurement in the place of its bucket', () => {
    const shared = memory();
    const reservoirs = new ExemplarReservoirs(shared, OF_STREAM, ALIGNED, 3, false);
    reservoirs.offer(CELL, 2, 30, SPAN, NONE);
    reservoirs.offer(CELL, 0, 1, SPAN, NONE);
    expect(valuesOf(shared.region)).to.deep.equal([1, undefined, 30]);
  });

  it('begin anew with each collection, over what they hold', () => {
    const shared = memory();
    const reservoirs = new ExemplarReservoirs(shared, OF_STREAM, OF_FOUR, 0, false);
    for (let value = 1; value <= 1000; value++) reservoirs.offer(CELL, 0, value, SPAN, NONE);
    const before = valuesOf(shared.region);
    shared.region.noteCollection();
    expect(valuesOf(shared.region)).to.deep.equal(before);
    reservoirs.offer(CELL, 0, 5000, SPAN, NONE);
    expect(valuesOf(shared.region)).to.deep.equal([5000, ...before.slice(1)]);
  });

  it('are one a series', () => {
    const shared = memory();
    const reservoirs = new ExemplarReservoirs(shared, OF_STREAM, OF_FOUR, 0, false);
    reservoirs.offer(CELL, 0, 1, SPAN, NONE);
    reservoirs.offer(CELL + 4, 0, 2, SPAN, NONE);
    reservoirs.offer(CELL, 0, 3, SPAN, NONE);
    expect([...contents(shared.region).keys()]).to.deep.equal([CELL, CELL + 4]);
    expect(valuesOf(shared.region)).to.deep.equal([1, 3, undefined, undefined]);
    expect(valuesOf(shared.region, CELL + 4)).to.deep.equal([2, undefined, undefined, undefined]);
  });

  it('go on in the block of a dead owner, with a count of their own', () => {
    const shared = memory();
    const first = new ExemplarReservoirs(shared, OF_STREAM, OF_FOUR, 0, false);
    for (const value of [1, 2, 3, 4]) first.offer(CELL, 0, value, SPAN, NONE);
    const left = decodeExemplars(recordsOf(shared.region)[0]!.payload);
    const heir = new ExemplarReservoirs(shared, OF_STREAM, OF_FOUR, 0, false);
    heir.restore(left);
    heir.offer(CELL, 0, 50, SPAN, NONE);
    expect(recordsOf(shared.region)).to.have.length(1);
    expect(valuesOf(shared.region)).to.deep.equal([50, 2, 3, 4]);
  });

  it('leave a block of another shape alone', () => {
    const shared = memory();
    new ExemplarReservoirs(shared, OF_STREAM, OF_FOUR, 0, false).offer(CELL, 0, 1, SPAN, NONE);
    const left = decodeExemplars(recordsOf(shared.region)[0]!.payload);
    const heir = new ExemplarReservoirs(shared, OF_STREAM, { type: 'fixed-size', size: 9 }, 0, false);
    heir.restore(left);
    heir.offer(CELL, 0, 50, SPAN, NONE);
    expect(recordsOf(shared.region)).to.have.length(2);
    expect(valuesOf(shared.region)[0]).to.equal(50);
  });

  describe('carry the attributes that a view dropped', () => {
    const filteredOf = (attributes: MeasuredAttributes): unknown => {
      const shared = memory();
      new ExemplarReservoirs(shared, OF_STREAM, OF_FOUR, 0, true).offer(CELL, 0, 1, SPAN, attributes);
      const { text } = contents(shared.region).get(CELL)![0]!;
      return text === '' ? undefined : JSON.parse(text);
    };
    const byCode = (measured: unknown, attributes: unknown): unknown =>
      filteredOf({ attributes, measured, keeps: undefined });
    const byKeys = (attributes: unknown, ...kept: string[]): unknown =>
      filteredOf({ attributes, measured: undefined, keeps: (key) => kept.includes(key) });

    it('where keys decide', () => {
      expect(byKeys({ user: 'ü', route: '/a', n: 1, list: ['a', 2] }, 'route')).to.deep.equal({
        list: ['a', 2],
        n: 1,
        user: 'ü',
      });
      expect(byKeys({ user: 'x' }, 'user')).to.equal(undefined);
      expect(byKeys(undefined)).to.equal(undefined);
    });

    it('where code decides', () => {
      expect(byCode({ user: 'x', route: '/a' }, { route: '/a' })).to.deep.equal({ user: 'x' });
      expect(byCode({ user: 'x' }, undefined)).to.deep.equal({ user: 'x' });
      expect(byCode({ user: 'x' }, { user: 'other' })).to.equal(undefined);
    });

    it('and none where it dropped none', () => {
      expect(filteredOf({ attributes: { a: 1 }, measured: undefined, keeps: undefined })).to.equal(undefined);
    });

    it('all of them, however long, and keep what was kept with shorter ones', () => {
      const shared = memory();
      const reservoirs = new ExemplarReservoirs(shared, OF_STREAM, OF_FOUR, 0, true);
      const given = [
        {},
        { user: 'x' },
        { user: 'ü'.repeat(70), b: NaN },
        { user: 'x'.repeat(2001), c: Buffer.of(1) },
      ];
      given.forEach((attributes, i) =>
        reservoirs.offer(CELL, 0, i, SPAN, { attributes, measured: undefined, keeps: () => false }),
      );
      expect(
        contents(shared.region)
          .get(CELL)!
          .map((exemplar) => [exemplar!.value, exemplar!.text]),
      ).to.deep.equal([
        [0, ''],
        [1, '{"user":"x"}'],
        [2, `{"b":"NaN","user":"${'ü'.repeat(70)}"}`],
        [3, `{"c":"AQ==","user":"${'x'.repeat(2000)}"}`],
      ]);
      const heir = new ExemplarReservoirs(shared, OF_STREAM, OF_FOUR, 0, true);
      const records = recordsOf(shared.region).filter(({ kind }) => kind === EXEMPLARS_RECORD);
      for (const { payload } of records) heir.restore(decodeExemplars(payload));
      heir.offer(CELL, 0, 9, SPAN, NONE);
      expect(valuesOf(shared.region)).to.deep.equal([9, 1, 2, 3]);
      expect(recordsOf(shared.region)).to.have.length(records.length);
    });

    it('where there is no memory for all, as many as fit, whole ones, and say so', () => {
      const shared = memory();
      const reservoirs = new ExemplarReservoirs(shared, OF_STREAM, OF_FOUR, 0, true);
      const offer = (attributes: object): void =>
        reservoirs.offer(CELL, 0, 1, SPAN, { attributes, measured: undefined, keeps: () => false });
      offer({ a: 'x'.repeat(30) });
      const warned = warningsOf(() => {
        shared.region.takeExemplarBytes = () => false;
        offer({ a: 'first', b: 'ü'.repeat(70), c: 'last' });
      });
      expect(contents(shared.region).get(CELL)![1]!.text).to.equal('{"a":"first","c":"last"}');
      expect(warned).to.have.length(1);
    });

    it('and all attributes of what went to the overflow series', () => {
      const shared = memory();
      const reservoirs = new ExemplarReservoirs(shared, OF_STREAM, OF_FOUR, 0, false);
      reservoirs.offer(OVERFLOW_CELL, 0, 1, SPAN, {
        attributes: { user: 7 },
        measured: undefined,
        keeps: undefined,
      });
      expect(contents(shared.region).get(OVERFLOW_CELL)![0]!.text).to.equal('{"user":7}');
    });

    it('whatever they are', () => {
      const circular: Record<string, unknown> = {};
      circular['self'] = circular;
      expect(byKeys({ big: 5n, circular, gone: undefined, half: '\ud800', ok: true })).to.deep.equal({
        big: '5',
        circular: null,
        half: '\ud800',
        ok: true,
      });
    });
  });

  it('take a quarter of the store at most, then say so once and keep nothing new', () => {
    const shared = memory(2 ** 18);
    const warned = warningsOf(() => {
      const reservoirs = new ExemplarReservoirs(
        shared,
        OF_STREAM,
        { type: 'fixed-size', size: 64 },
        0,
        false,
      );
      for (let series = 0; series < 100; series++) reservoirs.offer(CELL + series, 0, series, SPAN, NONE);
      for (let series = 0; series < 3; series++) reservoirs.offer(CELL + series, 0, -series, SPAN, NONE);
    });
    const words = [...contents(shared.region).values()].length * 64 * exemplarCellWords(0);
    expect(words * 8).to.be.within(1, 2 ** 16);
    expect(valuesOf(shared.region, CELL + 2).slice(0, 2)).to.deep.equal([2, -2]);
    expect(warned).to.have.length(1);
    expect(warned[0])
      .to.include('exemplars')
      .and.include('262144')
      .and.include('maxBytes')
      .and.include('always_off');
  });

  it('give back what they took of the quarter where there is no room for it, and find room later', () => {
    const shared = memory();
    const { log } = shared;
    const place = log.place.bind(log);
    log.place = () => -1;
    const reservoirs = new ExemplarReservoirs(shared, OF_STREAM, OF_FOUR, 0, false);
    const warned = warningsOf(() => reservoirs.offer(CELL, 0, 1, SPAN, NONE));
    expect(warned).to.have.length(1);
    expect(shared.region.words[EXEMPLAR_BYTES_INDEX]).to.equal(0);
    log.place = place;
    reservoirs.offer(CELL, 0, 2, SPAN, NONE);
    expect(valuesOf(shared.region)[0]).to.equal(2);
  });

  it('keep nothing where the thread has no slab, or the stream no record', () => {
    const shared = memory();
    const warned = warningsOf(() => {
      new ExemplarReservoirs({ ...shared, log: undefined }, OF_STREAM, OF_FOUR, 0, false).offer(
        CELL,
        0,
        1,
        SPAN,
        NONE,
      );
      new ExemplarReservoirs(shared, { ...OF_STREAM, id: -1 }, OF_FOUR, 0, false).offer(
        CELL,
        0,
        1,
        SPAN,
        NONE,
      );
    });
    expect(recordsOf(shared.region)).to.have.length(0);
    expect(warned).to.deep.equal([]);
  });
});
