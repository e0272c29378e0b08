import { expect } from 'chai';
import { sampleRegion, useRegion, type Sample } from '../support/hostile-region.ts';
import { collectWarnings } from '../support/warnings.ts';

/** What the cells of one series say, by what it is. Offsets in bytes from a cell's start, of the slot that is published. */
const OFFSETS = {
  histogram: { slotWords: 6, bucket: 4 },
  wide: { slotWords: 8, array: 5, bucket: 6 },
} as const;

describe('cells of a dead thread', () => {
  let sample: Sample;
  let log: ReturnType<typeof collectWarnings>;
  before(async () => void (sample = await sampleRegion()));
  beforeEach(() => (log = collectWarnings()));
  afterEach(() => log.stop());

  /** Changes a copy of the sample, and has it used. */
  async function usedWith(change: (view: DataView) => void): Promise<{ isAdopted: boolean; said: string }> {
    const bytes = sample.bytes.slice();
    change(new DataView(bytes.buffer));
    const { isAdopted } = await useRegion(bytes);
    return { isAdopted: isAdopted!, said: log.warnings.splice(0).join('\n') };
  }

  async function expectRefused(what: string, change: (view: DataView) => void): Promise<void> {
    const { isAdopted, said } = await usedWith(change);
    expect(isAdopted, what).to.equal(false);
    expect(said, what).to.include('is damaged').and.include('points to memory that is not its own');
  }

  const slotOf = (view: DataView, cell: number, slotWords: number): number =>
    cell + 8 * (1 + (view.getInt32(cell, true) & 1) * slotWords);

  it('are gone on with where they are sound', async () => {
    expect(await usedWith(() => {})).to.deep.equal({ isAdopted: true, said: '' });
  });

  it('are left alone where a link names no block, or that of another cell', async () => {
    const [, link, other] = sample.cells.histogram.map((cell) => cell + 4) as [number, number, number];
    for (const wrong of [1, 2, 0x7fffffff, 70_000])
      await expectRefused(`link ${wrong}`, (view) => view.setInt32(link, wrong, true));
    await expectRefused('link of another', (view) => view.setInt32(link, view.getInt32(other, true), true));
  });

  it('are left alone where a bucket is none', async () => {
    const { slotWords, bucket } = OFFSETS.histogram;
    for (const wrong of [-1, 16, 0.5, NaN, 1e9])
      await expectRefused(`bucket ${wrong}`, (view) =>
        view.setFloat64(slotOf(view, sample.cells.histogram[1]!, slotWords) + 8 * bucket, wrong, true),
      );
  });

  it('are left alone where an array is none of the stream, or that of another cell', async () => {
    const { slotWords, array, bucket } = OFFSETS.wide;
    const [, cell, other] = sample.cells.wide as [number, number, number];
    const at = (view: DataView, of: number, field: number): number => slotOf(view, of, slotWords) + 8 * field;
    for (const wrong of [0, -5, 1e9, NaN, 9000])
      await expectRefused(`array ${wrong}`, (view) => view.setFloat64(at(view, cell, array), wrong, true));
    await expectRefused('array of another', (view) => {
      for (const field of [array, bucket])
        view.setFloat64(at(view, cell, field), view.getFloat64(at(view, other, field), true), true);
    });
    for (const wrong of [0, 1e9, NaN])
      await expectRefused(`bucket ${wrong}`, (view) => view.setFloat64(at(view, cell, bucket), wrong, true));
    for (const [word, wrong] of [
      [0, 21],
      [0, -11],
      [0, NaN],
      [1, 2 ** 31 - 1],
      [1, 0.5],
    ] as const)
      await expectRefused(`word ${word} of the array ${wrong}`, (view) =>
        view.setFloat64(8 * (view.getFloat64(at(view, cell, array), true) + word), wrong, true),
      );
  });
});
