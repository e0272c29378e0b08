import { expect } from 'chai';
import * as fc from 'fast-check';
import { CellReader } from '../../../src/collect/rows/cell-reader.ts';
import { Snapshots } from '../../../src/collect/snapshot/snapshot.ts';
import { StoreReader } from '../../../src/collect/directory/store-reader.ts';
import { CHANGING_BYTES, CHANGING_KINDS, ExtentCursor } from '../../../src/memory/directory-log.ts';
import {
  DEFAULT_MAX_BYTES,
  EXTENT_HEADER_BYTES,
  EXTENT_USED_WORD,
  EXTENTS_OFFSET,
} from '../../../src/memory/layout.ts';
import { Region, type Extent } from '../../../src/memory/region.ts';
import { SERIES_RECORD } from '../../../src/state/records.ts';
import { wholeConfiguration, counter } from '../../support/descriptions.ts';
import { needsProc } from '../../support/marks.ts';
import { collectWarnings } from '../../support/warnings.ts';
import { newWriter } from '../../support/writers.ts';
import { recordTo } from '../../support/record-to.ts';
import { scopeMetricsOf } from '../../support/snapshot-metrics.ts';

const SEED = Number(process.env['SEQLOCK_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const LIMIT = 2000;

/** Two writers: of the first, 20 series in stream a; of the second, 5 in stream b, and 3 in a. */
function twoWriters(): { region: Region; extents: Extent[] } {
  const region = Region.create(DEFAULT_MAX_BYTES);
  const [first, second] = [newWriter(region), newWriter(region)];
  for (let id = 0; id < 20; id++) recordTo(first.stream(counter('a'), LIMIT), 1, { id });
  for (let id = 0; id < 5; id++) recordTo(second.stream(counter('b'), LIMIT), 1, { id });
  for (let id = 100; id < 103; id++) recordTo(second.stream(counter('a'), LIMIT), 1, { id });
  const extents: Extent[] = [];
  for (let at = EXTENTS_OFFSET, extent; (extent = region.extentAt(at)) !== undefined; at += extent.bytes)
    extents.push(extent);
  return { region, extents };
}

/** Sums of all points by stream; for a the second writer's apart, by its ids. */
function totals(reader: StoreReader): Record<string, number> {
  const sums: Record<string, number> = {};
  const snapshots = new Snapshots(reader, new CellReader());
  for (const { descriptor, dataPoints } of scopeMetricsOf(snapshots).flatMap(({ metrics }) => metrics))
    for (const { attributes, value } of dataPoints) {
      const name = descriptor.name + (Number(attributes['id']) >= 100 ? ' of the second' : '');
      sums[name] = (sums[name] ?? 0) + (value as number);
    }
  return sums;
}

function usedBytes(region: Region, { offset }: Extent): number {
  return Atomics.load(region.words, (offset >> 2) + EXTENT_USED_WORD);
}

/** Whether a byte of the region is one that the CRC of its record leaves out. */
function mayChange(region: Region, extent: Extent, at: number): boolean {
  const cursor = new ExtentCursor(region, extent);
  for (let record; (record = cursor.next()) !== undefined;)
    if (record.kind >= CHANGING_KINDS && at >= 4 * record.word && at < 4 * record.word + CHANGING_BYTES)
      return true;
  return false;
}

describe('store reader', function () {
  before(needsProc);

  it('reads in slices what it reads at once', () => {
    const region = Region.create(DEFAULT_MAX_BYTES);
    const [first, second] = [newWriter(region), newWriter(region)];
    for (let id = 0; id < 2000; id++) {
      recordTo(first.stream(counter('a'), LIMIT), 1, { id });
      if (id < 1000) recordTo(second.stream(counter('b'), LIMIT), 2, { id });
    }
    const reader = new StoreReader(region);
    let slices = 1;
    while (!reader.refresh(-Infinity)) slices++;
    // Of series, and streams, key sets and overflow series. What was read before, of whatever store, counts for the first slice.
    const decided = Math.floor((2000 + 1000) / 64);
    expect(slices - Math.floor((2000 + 1000 + 6) / 64) - decided).to.be.within(1, 2);
    expect(totals(reader)).to.deep.equal(totals(new StoreReader(region)));
    expect(reader.refresh(-Infinity)).to.equal(true);
  });

  it(`reads on past a damaged record: one warning, the other slab exact (seed: ${SEED})`, () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        fc.integer({ min: 1, max: 255 }),
        (place, flip) => {
          const { region, extents } = twoWriters();
          const { offset } = extents[0]!;
          const directory = usedBytes(region, extents[0]!) - EXTENT_HEADER_BYTES;
          const at = offset + EXTENT_HEADER_BYTES + Math.floor(place * directory);
          fc.pre(!mayChange(region, extents[0]!, at));
          region.bytes[at] = region.bytes[at]! ^ flip;
          const { warnings, stop } = collectWarnings();
          const reader = new StoreReader(region);
          const sums = totals(reader);
          recordTo(newWriter(region).stream(counter('made later'), LIMIT), 1, undefined);
          expect(totals(reader)).to.deep.equal({ ...sums, 'made later': 1 });
          stop();
          expect(sums['b']).to.equal(5);
          expect(sums['a of the second']).to.equal(3);
          expect(warnings).to.have.length(1);
          expect(warnings[0]).to.match(/list of series of writer 0/);
          expect(sums['a'] ?? 0).to.be.at.most(20);
        },
      ),
      { seed: SEED, numRuns: 150 },
    );
  });

  it('leaves out the directory behind a standing that nobody can have written: one warning', () => {
    const { region, extents } = twoWriters();
    const cursor = new ExtentCursor(region, extents[0]!);
    const series: number[] = [];
    for (let record; (record = cursor.next()) !== undefined;)
      if (record.kind === SERIES_RECORD) series.push(record.word);
    region.words[series[10]!] = 7;
    const { warnings, stop } = collectWarnings();
    const reader = new StoreReader(region);
    expect(totals(reader)['b']).to.equal(5);
    stop();
    expect(warnings).to.have.length(1);
  });

  it('keeps what it had decoded before the damage, live', () => {
    const { region, extents } = twoWriters();
    const { warnings, stop } = collectWarnings();
    const reader = new StoreReader(region);
    totals(reader);
    const writer = newWriter(region);
    recordTo(writer.stream(counter('c'), LIMIT), 1, undefined);
    region.bytes[extents[0]!.offset + EXTENT_HEADER_BYTES + 20]! ^= 1;
    expect(totals(reader)).to.deep.equal({ a: 20, 'a of the second': 3, b: 5, c: 1 });
    stop();
    expect(warnings).to.deep.equal([]);
  });

  it('reads on past a damaged extent header: one warning, nothing thrown', () => {
    const { region, extents } = twoWriters();
    for (const damage of [0, -1, 0x7fff_ffff]) {
      region.words[extents[1]!.offset >> 2] = damage;
      const { warnings, stop } = collectWarnings();
      const reader = new StoreReader(region);
      for (let i = 0; i < 3; i++) expect(totals(reader)).to.deep.equal({ a: 20 });
      stop();
      expect(warnings).to.have.length(1);
    }
  });

  it('does without a damaged configuration: one warning, nothing thrown', () => {
    const { region } = twoWriters();
    newWriter(region).configure(wholeConfiguration({ resource: { a: 1 } }));
    region.bytes[region.configurationOffset + 16]! ^= 1;
    const { warnings, stop } = collectWarnings();
    const reader = new StoreReader(region);
    for (let i = 0; i < 3; i++) expect(totals(reader)).to.deep.equal({ a: 20, 'a of the second': 3, b: 5 });
    stop();
    expect(reader.configuration).to.equal(undefined);
    expect(warnings.filter((warning) => warning.includes('configuration'))).to.have.length(1);
    expect(warnings).to.have.length(2); // the record is in its writer's directory too
  });

  it('follows a configuration that is written anew', () => {
    const { region } = twoWriters();
    const reader = new StoreReader(region);
    const writer = newWriter(region);
    for (const service of ['one', 'two']) {
      writer.configure(wholeConfiguration({ resource: { service } }));
      reader.refresh();
      expect(reader.configuration?.resource).to.deep.equal({ service });
    }
  });

  it('takes streams of several writers for one by name without case, unit, kind, type and boundaries', () => {
    const region = Region.create(DEFAULT_MAX_BYTES);
    const streams = [
      counter('m'),
      counter('M'),
      { ...counter('m'), unit: 's' },
      { ...counter('m'), integer: true },
      { ...counter('m'), kind: 'UP_DOWN_COUNTER' as const },
    ];
    for (const stream of streams) recordTo(newWriter(region).stream(stream, LIMIT), 1, undefined);
    const reader = new StoreReader(region);
    expect(totals(reader)).to.deep.equal({ m: 5 });
    expect(reader.scopes.flatMap((scope) => scope.streams)).to.have.length(4);
  });
});
