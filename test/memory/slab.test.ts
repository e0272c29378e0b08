import { expect } from 'chai';
import { existsSync } from 'node:fs';
import * as layout from '../../src/memory/layout.ts';
import { isProvenDead, OWN_MARK } from '../../src/memory/liveness.ts';
import { Region } from '../../src/memory/region.ts';
import { RegionClock } from '../../src/memory/region-clock.ts';
import * as slabLayout from '../../src/memory/slab.ts';
import { copyOf, everyStep } from '../support/every-step.ts';
import { DEAD_MARK, needsProc, otherLiveMark } from '../support/marks.ts';
import {
  exitOf,
  makeControl,
  message,
  runTogether,
  start,
  startRegionWorker,
} from '../support/region-job.ts';

const entryWord = (slab: number): number => (layout.SLAB_TABLE_OFFSET + slab * layout.SLAB_BYTES) / 4;

function setOwner(region: Region, slab: number, owner: number): void {
  Atomics.store(region.words, entryWord(slab) + layout.SLAB_OWNER_WORD, owner);
}

function setKind(region: Region, slab: number, kind: number): void {
  Atomics.store(region.words, entryWord(slab) + layout.SLAB_AFFINITY_WORD, kind);
}

/** A region whose first slabs have these owner words. */
function withOwners(...owners: number[]): Region {
  const region = Region.create(2 ** 20);
  owners.forEach((owner, slab) => setOwner(region, slab, owner));
  Atomics.store(region.words, layout.SLABS_USED_INDEX, owners.length);
  return region;
}

describe('the slab table', () => {
  before(needsProc);

  describe('acquireSlab', () => {
    it('gives a new slab, owned by this thread, where there is none', () => {
      const region = Region.create(2 ** 20);
      expect(slabLayout.acquireSlab(region)).to.deep.equal({ slab: 0, adopted: false });
      expect(slabLayout.slabOwner(region, 0)).to.equal(OWN_MARK);
      expect(slabLayout.slabEpoch(region, 0)).to.equal(1);
      expect(slabLayout.slabsUsed(region)).to.equal(1);
      expect(slabLayout.isSlabDead(region, 0)).to.equal(false);
    });

    it('tells the thread of the latest owner, of a new slab and of one taken over', () => {
      const region = withOwners(DEAD_MARK, otherLiveMark());
      expect([0, 1, 2].map((slab) => slabLayout.slabThread(region, slab))).to.deep.equal([
        undefined,
        undefined,
        undefined,
      ]);
      slabLayout.acquireSlab(region);
      slabLayout.acquireSlab(region);
      expect([0, 1, 2].map((slab) => slabLayout.slabThread(region, slab))).to.deep.equal([0, undefined, 0]); // the main thread
    });

    it('takes the slab of a dead thread first, and says so', () => {
      const region = withOwners(otherLiveMark(), DEAD_MARK, otherLiveMark());
      expect(slabLayout.acquireSlab(region)).to.deep.equal({ slab: 1, adopted: true });
      expect(slabLayout.slabOwner(region, 1)).to.equal(OWN_MARK);
      expect(slabLayout.slabEpoch(region, 1)).to.equal(1);
      expect(slabLayout.slabsUsed(region)).to.equal(3);
    });

    it('never takes a slab whose owner lives, nor one that a live thread is taking over', () => {
      const live = otherLiveMark();
      const region = withOwners(live, -live, live);
      expect(slabLayout.acquireSlab(region)).to.deep.equal({ slab: 3, adopted: false });
      expect([0, 1, 2].map((slab) => slabLayout.slabOwner(region, slab))).to.deep.equal([live, -live, live]);
    });

    it('takes the slab of a dead thread of its kind, and makes a new one rather than take a strange one', () => {
      const region = withOwners(otherLiveMark(), DEAD_MARK, DEAD_MARK);
      [1, 2, 3].forEach((kind, slab) => setKind(region, slab, kind));
      expect(slabLayout.acquireSlab(region, 3)).to.deep.equal({ slab: 2, adopted: true });
      expect(slabLayout.acquireSlab(region, 3)).to.deep.equal({ slab: 3, adopted: false });
      expect(slabLayout.acquireSlab(region, 4)).to.deep.equal({ slab: 4, adopted: false });
      expect(
        [0, 1, 2, 3, 4].map((slab) => region.words[entryWord(slab) + layout.SLAB_AFFINITY_WORD]),
      ).to.deep.equal([1, 2, 3, 3, 4]);
    });

    it('takes a strange slab where many are dead, where no new one is left, or where it could have no memory', () => {
      const live = otherLiveMark();
      for (const [owners, maxBytes, taken] of [
        [[live, ...Array<number>(17).fill(DEAD_MARK)], 2 ** 20, { slab: 18, adopted: false }],
        [[live, ...Array<number>(18).fill(DEAD_MARK)], 2 ** 20, { slab: 1, adopted: true }],
        [[live, live, ...Array<number>(18).fill(DEAD_MARK)], 2 ** 20, { slab: 20, adopted: false }],
        [
          Array.from({ length: layout.SLAB_CAPACITY }, (_, i) => (i === 700 ? DEAD_MARK : live)),
          2 ** 20,
          { slab: 700, adopted: true },
        ],
        [[live, DEAD_MARK], layout.SMALLEST_MAX_BYTES, { slab: 1, adopted: true }],
      ] as const) {
        const region = withOwners(...owners);
        owners.forEach((_, slab) => setKind(region, slab, 3));
        if (maxBytes === layout.SMALLEST_MAX_BYTES) while (region.claimExtent(0, 4096) !== undefined);
        expect(slabLayout.acquireSlab(region, 7)).to.deep.equal(taken);
      }
    });

    it('takes an empty slab, whose first owner died before it said what it is', () => {
      const region = withOwners(otherLiveMark(), DEAD_MARK);
      expect(slabLayout.acquireSlab(region, 7)).to.deep.equal({ slab: 1, adopted: true });
      expect(slabLayout.slabAffinity(region, 1)).to.equal(7);
      setOwner(region, 2, DEAD_MARK); // it died before the table said that there are three
      expect(slabLayout.acquireSlab(region, 7)).to.deep.equal({ slab: 2, adopted: true });
      expect(slabLayout.slabsUsed(region)).to.equal(3);
    });

    it('never takes a damaged slab, nor says that it is alive', () => {
      const region = withOwners(DEAD_MARK);
      const owned = slabLayout.acquireSlab(region)!;
      slabLayout.giveUpDamagedSlab(region, owned.slab);
      expect(slabLayout.isSlabDead(region, 0)).to.equal(true);
      expect(slabLayout.acquireSlab(region)).to.deep.equal({ slab: 1, adopted: false });
      slabLayout.abandonSlabsOf(region, OWN_MARK);
      expect(slabLayout.slabOwner(region, 0)).to.equal(layout.DAMAGED);
    });

    for (const [state, owner] of [
      ['owned', DEAD_MARK],
      ['being taken over', -DEAD_MARK],
      ['abandoned', layout.ABANDONED],
    ] as const)
      it(`recovers a slab whose owner died while it was ${state}`, () => {
        const region = withOwners(owner);
        expect(slabLayout.isSlabDead(region, 0)).to.equal(true);
        expect(slabLayout.acquireSlab(region)).to.deep.equal({ slab: 0, adopted: true });
        expect(slabLayout.isSlabDead(region, 0)).to.equal(false);
      });

    it('leaves an entry of 0 below the used ones to the thread that is just coming', () => {
      const region = withOwners(otherLiveMark(), 0, otherLiveMark());
      expect(slabLayout.isSlabDead(region, 1)).to.equal(false);
      expect(slabLayout.acquireSlab(region)).to.deep.equal({ slab: 3, adopted: false });
    });

    it('takes a dead predecessor that had the same thread id', () => {
      for (const owner of [OWN_MARK, -OWN_MARK])
        expect(slabLayout.acquireSlab(withOwners(owner))).to.deep.equal({ slab: 0, adopted: true });
    });

    it('never takes the own slab again, not even over another Region of the same memory', () => {
      const region = Region.create(2 ** 20);
      expect(slabLayout.acquireSlab(region)?.slab).to.equal(0);
      expect(slabLayout.acquireSlab(Region.attach(region.buffer))).to.deep.equal({ slab: 1, adopted: false });
    });

    it('makes all gauge sets of the dead owner stale, and none of the new one', () => {
      const region = withOwners(DEAD_MARK);
      const clock = new RegionClock(region.words);
      const last = clock.now();
      expect(slabLayout.slabStaleBefore(region, 0)).to.equal(0);
      slabLayout.acquireSlab(region);
      expect(slabLayout.slabStaleBefore(region, 0)).to.equal(last);
      expect(new RegionClock(region.words).now()).to.be.above(last);
    });

    it('gives undefined when all slabs have live owners, and the last slab before that', () => {
      const live = otherLiveMark();
      const region = withOwners(...Array.from({ length: layout.SLAB_CAPACITY - 1 }, () => live));
      expect(slabLayout.acquireSlab(region)).to.deep.equal({
        slab: layout.SLAB_CAPACITY - 1,
        adopted: false,
      });
      expect(slabLayout.acquireSlab(region)).to.equal(undefined);
      setOwner(region, 700, DEAD_MARK);
      expect(slabLayout.acquireSlab(region)).to.deep.equal({ slab: 700, adopted: true });
    });
  });

  describe('death at each step', () => {
    function dieAtEachStep(region: Region): { readonly deaths: number; readonly slabs: Set<number> } {
      let deaths = 0;
      const slabs = new Set<number>();
      everyStep(
        region,
        () => slabLayout.acquireSlab(region),
        () => {
          const left = Region.attach(copyOf(region.buffer));
          // In the copy the thread that is at this step is dead.
          for (let slab = 0; slab < 5; slab++) {
            const owner = slabLayout.slabOwner(left, slab);
            if (Math.abs(owner) === OWN_MARK) setOwner(left, slab, Math.sign(owner) * DEAD_MARK);
          }
          const stale = slabLayout.slabStaleBefore(left, 1);
          const first = slabLayout.acquireSlab(left)!;
          const second = slabLayout.acquireSlab(left)!;
          expect(first.slab, 'one slab, taken twice').to.not.equal(second.slab);
          expect(slabLayout.slabsUsed(left)).to.be.at.least(Math.max(first.slab, second.slab) + 1);
          expect(slabLayout.slabStaleBefore(left, 1)).to.be.at.least(stale);
          slabs.add(first.slab).add(second.slab);
          deaths++;
        },
      );
      return { deaths, slabs };
    }

    it('of a take-over loses no slab', () => {
      const { deaths, slabs } = dieAtEachStep(withOwners(otherLiveMark(), DEAD_MARK));
      expect(deaths).to.equal(14); // before and after: take, forget callbacks, name process, thread and kind, count the epoch, own
      expect([...slabs].sort(), 'the dead slab 1, then a new one').to.deep.equal([1, 2]);
    });

    it('of a first taking leaves at most one slab to the owner after the next', () => {
      const { deaths, slabs } = dieAtEachStep(withOwners(otherLiveMark()));
      expect(deaths).to.equal(12); // before and after: take, name process, thread and kind, count the epoch, raise the number of used slabs
      expect([...slabs].sort()).to.deep.equal([1, 2]);
    });
  });

  it('gives two threads different slabs, at whatever step of the first the second comes', () => {
    for (const owners of [[], [DEAD_MARK], [otherLiveMark(), DEAD_MARK]])
      for (let stop = 0; stop < 6; stop++) {
        const region = withOwners(...owners);
        let second: slabLayout.OwnedSlab | undefined;
        const first = everyStep(
          region,
          () => slabLayout.acquireSlab(region)!,
          (step) => {
            // The second has the first's mark here; as another thread it would see a live owner where this sees a stranger.
            if (step !== stop) return;
            const hidden = [...owners.keys(), owners.length].filter(
              (slab) => Math.abs(slabLayout.slabOwner(region, slab)) === OWN_MARK,
            );
            const marks = hidden.map((slab) => slabLayout.slabOwner(region, slab));
            hidden.forEach((slab, i) => setOwner(region, slab, Math.sign(marks[i]!) * otherLiveMark()));
            second = slabLayout.acquireSlab(region);
            hidden.forEach((slab, i) => setOwner(region, slab, marks[i]!));
          },
        );
        expect(second!.slab, `stop ${stop} of ${owners.length}`).to.not.equal(first.slab);
        expect([first, second!].filter(({ adopted }) => adopted).length).to.equal(
          owners.includes(DEAD_MARK) ? 1 : 0,
        );
      }
  });

  describe('several threads at once', () => {
    it('get 400 different slabs', async () => {
      const region = Region.create(2 ** 20);
      const results = await runTogether<slabLayout.OwnedSlab[]>(
        region,
        { kind: 'acquire', count: 100, threads: 4 },
        4,
      );
      const slabs = results.flat().map(({ slab }) => slab);
      expect(slabs.sort((a, b) => a - b)).to.deep.equal(Array.from({ length: 400 }, (_, i) => i));
      expect(slabLayout.slabsUsed(region)).to.equal(400);
      expect(results.flat().every(({ adopted }) => !adopted)).to.equal(true);
      for (let slab = 0; slab < 400; slab++) expect(slabLayout.slabEpoch(region, slab)).to.equal(1);
      const owners = slabs.map((slab) => slabLayout.slabOwner(region, slab));
      expect(
        owners.filter((owner, i) => i > 0 && owner !== owners[i - 1]).length,
        'they took turns',
      ).to.be.above(3);
    });

    it('racing for 400 dead slabs take each exactly once', async () => {
      const region = withOwners(
        ...Array.from({ length: 400 }, (_, i) => (i % 3 === 0 ? -DEAD_MARK : DEAD_MARK)),
      );
      const results = await runTogether<slabLayout.OwnedSlab[]>(
        region,
        { kind: 'acquire', count: 100, threads: 4 },
        4,
      );
      const slabs = results.flat();
      expect(slabs.map(({ slab }) => slab).sort((a, b) => a - b)).to.deep.equal(
        Array.from({ length: 400 }, (_, i) => i),
      );
      expect(slabs.every(({ adopted }) => adopted)).to.equal(true);
      for (let slab = 0; slab < 400; slab++) expect(slabLayout.slabEpoch(region, slab)).to.equal(1);
    });

    it('racing for one dead slab: exactly one wins it, again and again', async () => {
      for (let round = 0; round < 4; round++) {
        const region = withOwners(DEAD_MARK);
        const results = await runTogether<slabLayout.OwnedSlab[]>(
          region,
          { kind: 'acquire', count: 1, threads: 3 },
          3,
        );
        const adopted = results.flat().filter((owned) => owned.adopted);
        expect(adopted).to.deep.equal([{ slab: 0, adopted: true }]);
        expect(new Set(results.flat().map(({ slab }) => slab)).size).to.equal(3);
        expect(slabLayout.slabEpoch(region, 0)).to.equal(1);
      }
    });
  });

  for (const how of ['suspended', 'busy'] as const)
    it(`leaves the slab of a ${how} thread alone for as long as it lives, and takes it when it is gone`, async () => {
      const region = Region.create(2 ** 20);
      const worker = startRegionWorker(region, { kind: 'hold', how }, makeControl());
      const { owned, mark } = await message<{ owned: slabLayout.OwnedSlab; mark: number }>(worker);
      expect(owned).to.deep.equal({ slab: 0, adopted: false });
      expect(slabLayout.acquireSlab(region)).to.deep.equal({ slab: 1, adopted: false });
      expect(slabLayout.isSlabDead(region, 0)).to.equal(false);
      await worker.terminate();
      for (let i = 0; i < 500 && existsSync(`/proc/self/task/${mark}`); i++)
        await new Promise((go) => setTimeout(go, 2));
      expect(isProvenDead(mark)).to.equal(true);
      expect(slabLayout.isSlabDead(region, 0)).to.equal(true);
      expect(slabLayout.acquireSlab(region)).to.deep.equal({ slab: 0, adopted: true });
    });

  it('sees a thread dead when its exit event is heard', async () => {
    const region = Region.create(2 ** 20);
    const control = makeControl();
    for (const end of ['return', 'exit', 'throw'] as const) {
      const worker = startRegionWorker(region, { kind: 'count', times: 1, end }, control);
      await start(control, 1);
      await exitOf(worker);
      expect(slabLayout.slabsUsed(region)).to.equal(1);
      expect(slabLayout.isSlabDead(region, 0), end).to.equal(true);
    }
    expect(slabLayout.slabEpoch(region, 0)).to.equal(3);
  });

  describe('abandonSlabsOf', () => {
    it('gives up all slabs of a mark, owned or half taken over, and no other', () => {
      const live = otherLiveMark();
      const region = withOwners(77, live, -77, 78, -78, 0);
      setOwner(region, 6, 77); // its owner died before it raised the number of used slabs
      slabLayout.abandonSlabsOf(region, 77);
      const owners = Array.from({ length: 7 }, (_, slab) => slabLayout.slabOwner(region, slab));
      expect(owners).to.deep.equal([layout.ABANDONED, live, layout.ABANDONED, 78, -78, 0, layout.ABANDONED]);
    });
  });
});
