import { expect } from 'chai';
import { READER_MARK_INDEX, UNIT_BYTES } from '../../src/memory/layout.ts';
import { MARK_KIND, OWN_MARK } from '../../src/memory/liveness.ts';
import { Region } from '../../src/memory/region.ts';
import { DEAD_MARK, needsProc, otherLiveMark } from '../support/marks.ts';

const MAX_BYTES = 256 * UNIT_BYTES;

describe('ThreadLease', () => {
  it('is the first thread that takes it, and no other live one gets it', () => {
    const { lease, words } = Region.create(MAX_BYTES);
    expect(lease.take()).to.equal(true);
    expect(lease.take(), 'the same thread again').to.equal(true);
    words[READER_MARK_INDEX] = MARK_KIND === 'linux-thread-id' ? otherLiveMark() : OWN_MARK + 1;
    expect(lease.take()).to.equal(false);
  });

  it('passes on from a dead thread', function () {
    needsProc.call(this);
    const { lease, words } = Region.create(MAX_BYTES);
    words[READER_MARK_INDEX] = DEAD_MARK;
    expect(lease.take()).to.equal(true);
    expect(words[READER_MARK_INDEX]).to.equal(OWN_MARK);
  });
});
