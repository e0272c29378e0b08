import { expect } from 'chai';
import { EXTENTS_OFFSET } from '../../src/memory/layout.ts';
import { Region } from '../../src/memory/region.ts';
import { DirectoryReader, type DirectoryVisitor } from '../../src/state/directory-reader.ts';
import { counter } from '../support/descriptions.ts';
import { needsProc } from '../support/marks.ts';
import { recordTo } from '../support/record-to.ts';
import { newWriter } from '../support/writers.ts';

const LIMIT = 2000;

/** Notes what it is told: names of streams, and the attribute `set` of series. */
function noting(told: unknown[]): DirectoryVisitor {
  return {
    stream: ({ name }) => void told.push(name),
    description: (stream, text) => void told.push([stream, text]),
    series: ({ stream, attributes, isOverflow }) =>
      void told.push([stream, isOverflow ? 'overflow' : attributes.values[0]]),
    exemplars: () => void told.push('exemplars'),
    block: () => void told.push('block'),
  };
}

/** The directory of slab 0, with all extents it has now. */
function readerOf(region: Region): DirectoryReader {
  const directory = new DirectoryReader(region);
  for (let at = EXTENTS_OFFSET, extent; (extent = region.extentAt(at)) !== undefined; at += extent.bytes)
    directory.add(extent);
  return directory;
}

describe('DirectoryReader', function () {
  before(needsProc);

  it('tells what a slab has in the order in which it was written, and later what was added', () => {
    const region = Region.create(2 ** 20);
    const writer = newWriter(region);
    const add = (name: string, set: string): void =>
      recordTo(writer.stream(counter(name), LIMIT), 1, { set });
    add('c', 'a');
    add('d', 'b');
    const directory = readerOf(region);
    const told: unknown[] = [];
    expect(directory.read(noting(told))).to.equal(true);
    expect(told).to.deep.equal(['c', [0, 'overflow'], [0, 'a'], 'd', [1, 'overflow'], [1, 'b']]);
    expect(directory.keySets).to.deep.include.members([['set']]);
    told.length = 0;
    directory.read(noting(told));
    expect(told, 'nothing was added').to.deep.equal([]);
    add('c', 'e');
    directory.read(noting(told));
    expect(told).to.deep.equal([[0, 'e']]);
  });

  it('stops when its time is up, and goes on where it stopped', () => {
    const region = Region.create(2 ** 22);
    const stream = newWriter(region).stream(counter('c'), LIMIT);
    for (let set = 0; set < 1000; set++) recordTo(stream, 1, { set });
    const directory = readerOf(region);
    const told: unknown[] = [];
    let calls = 1;
    for (; !directory.read(noting(told), -Infinity); calls++) expect(told.length).to.be.at.most(64 * calls);
    expect(calls).to.be.at.least(Math.floor(1000 / 64));
    expect(told.slice(2)).to.deep.equal(Array.from({ length: 1000 }, (_, set) => [0, set]));
  });

  it('throws where the directory is damaged, after it has told what comes before', () => {
    const region = Region.create(2 ** 20);
    const writer = newWriter(region);
    recordTo(writer.stream(counter('c'), LIMIT), 1, { set: 'a' });
    const directory = readerOf(region);
    const told: unknown[] = [];
    directory.read(noting(told));
    const { extent, readTo } = directory.cursor!;
    recordTo(writer.stream(counter('c'), LIMIT), 1, { set: 'b' });
    region.words[(extent.offset + readTo) >> 2]! ^= 1; // of the new record's head
    expect(() => directory.read(noting(told)))
      .to.throw()
      .with.property('name', 'RegionError');
    expect(told.at(-1)).to.deep.equal([0, 'a']);
  });
});
