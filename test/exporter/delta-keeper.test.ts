import { expect } from 'chai';
import { diag, DiagLogLevel } from '@opentelemetry/api';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DeltaState } from '../../src/collect/snapshot/deltas.ts';
import {
  DeltaKeeper,
  keeperMemory,
  type KeeperFile,
  type KeeperMemory,
  type KeeperPlace,
} from '../../src/exporter/delta-keeper.ts';
import { newFolder, removeFolders } from '../support/store-directories.ts';

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
  const keeper = (place: KeeperPlace): DeltaKeeper => new DeltaKeeper(place);
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

describe('DeltaKeeper over a file', () => {
  after(removeFolders);
  const STORE = 'a0a0a0a0-b1b1-c2c2-d3d3-e4e4e4e4e4e4';
  const fileOf = (storeId = STORE, folder = newFolder()): KeeperFile => ({
    path: join(folder, 'pushed'),
    newPath: join(folder, 'pushed.new'),
    storeId,
  });

  it('tells the next process what the last push that ended had told', () => {
    const file = fileOf();
    expect(new DeltaKeeper(file).kept()).to.deep.equal([]);
    for (const [push, series] of [1, 100, 7].entries()) {
      const states = [
        { ...stateOf(push, series), versions: Float64Array.of(1, NaN, -0), untilMillis: undefined },
        { ...stateOf(push, 0), stream: 'é "quoted"' },
      ];
      const end = new DeltaKeeper(file).begin(states);
      if (push > 0) expect(new DeltaKeeper(file).kept(), 'of a push under way').to.not.deep.equal(states);
      end();
      expect(new DeltaKeeper(file).kept()).to.deep.equal(states);
    }
  });

  it('has pushed nothing of a store that came after', () => {
    const file = fileOf();
    new DeltaKeeper(file).begin([stateOf(1)])();
    expect(new DeltaKeeper({ ...file, storeId: STORE.replace('a', 'f') }).kept()).to.deep.equal([]);
  });

  it('does not know what was pushed where the file is damaged', () => {
    const file = fileOf();
    new DeltaKeeper(file).begin([stateOf(1, 10)])();
    const whole = readFileSync(file.path);
    for (let at = STORE.length; at < whole.length; at += 5) {
      const damaged = Buffer.from(whole);
      damaged[at]! ^= 1 << (at % 8);
      writeFileSync(file.path, damaged);
      expect(new DeltaKeeper(file).kept(), `byte ${at}`).to.equal(undefined);
      writeFileSync(file.path, whole.subarray(0, at));
      expect(new DeltaKeeper(file).kept(), `${at} bytes`).to.equal(undefined);
    }
  });

  it('keeps what it had where it cannot write, and says so', () => {
    const file = fileOf();
    new DeltaKeeper(file).begin([stateOf(1)])();
    mkdirSync(file.newPath);
    const said: string[] = [];
    const note = (message: string): void => void said.push(message);
    diag.setLogger({ error: note, warn: note, info: note, debug: note, verbose: note }, DiagLogLevel.WARN);
    try {
      new DeltaKeeper(file).begin([stateOf(2)])();
    } finally {
      diag.disable();
    }
    expect(said).to.have.length(1);
    expect(said[0]).to.include(`cannot be noted in ${file.path}`).and.include('pushes again');
    expect(new DeltaKeeper(file).kept()).to.deep.equal([stateOf(1)]);
    rmSync(file.newPath, { recursive: true });
  });
});
