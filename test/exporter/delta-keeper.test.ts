import { expect } from 'chai';
import type { DeltaState } from '../../src/collect/snapshot/deltas.ts';
import { DeltaKeeper, keeperMemory, type KeeperMemory } from '../../src/exporter/delta-keeper.ts';

const stateOf = (untilMillis: number, series = 1): DeltaState => ({
  stream: 's',
  cells: new Int32Array(series),
  series: new Int32Array(series),
  versions: new Float64Array(0),
  updates: new Int32Array(series),
  rows: new Float64Array(series).fill(untilMillis),
  untilMillis,
});

describe('DeltaKeeper', () => {
  const keeper = (memory: KeeperMemory): DeltaKeeper => new DeltaKeeper(memory);
  const memory = (): KeeperMemory => keeperMemory(2 ** 20);
  const wholeSlot = ({ whole }: KeeperMemory): number => new Int32Array(whole)[0]!;

  it('has kept nothing before the first push, and no push that is under way', () => {
    const shared = memory();
    expect(keeper(shared).kept()).to.deep.equal([]);
    keeper(shared).begin([stateOf(1)]);
    expect(keeper(shared).kept()).to.deep.equal([]);
  });

  it('tells the next thread what the last push that ended had told', () => {
    const shared = memory();
    for (const [push, series] of [1, 100, 7, 3000].entries()) {
      keeper(shared).begin([stateOf(push, series)])();
      expect(keeper(shared).kept()).to.deep.equal([stateOf(push, series)]);
      expect(wholeSlot(shared), 'the slot, which was not in use').to.equal((push % 2) + 1);
    }
  });

  it('keeps what a push had told when it began, and none that an earlier one is still under way before', () => {
    const shared = memory();
    const own = keeper(shared);
    const states = [stateOf(1)];
    const [first, second, third] = [own.begin(states), own.begin([stateOf(2)]), own.begin([stateOf(3)])];
    states[0]!.rows[0] = 99;
    second();
    expect(keeper(shared).kept()).to.deep.equal([]);
    first();
    expect(keeper(shared).kept()).to.deep.equal([stateOf(2)]);
    third();
    expect(keeper(shared).kept()).to.deep.equal([stateOf(3)]);
  });

  it('survives a death in the middle of keeping: the other slot stands', () => {
    const shared = memory();
    keeper(shared).begin([stateOf(1)])();
    const other = shared.slots[wholeSlot(shared) === 1 ? 1 : 0]!;
    other.grow(64);
    new Uint8Array(other).fill(0xff);
    expect(keeper(shared).kept()).to.deep.equal([stateOf(1)]);
  });

  it('does not know what was pushed where it had no memory for it', () => {
    for (const none of [{ ...keeperMemory(0), slots: [] }, keeperMemory(64)]) {
      expect(keeper(none).kept()).to.deep.equal([]);
      keeper(none).begin([stateOf(1, 1000)])();
      expect(keeper(none).kept()).to.equal(undefined);
    }
  });
});
