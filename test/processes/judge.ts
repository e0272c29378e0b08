/** Reads the store as any process may, over and over, and says what a reader must never see. */
import { join } from 'node:path';
import {
  MetricStore,
  SeqlockMeterProvider,
  SeqlockMetricReader,
  type HistogramValue,
} from '../../src/index.ts';
import { slabsUsed } from '../../src/memory/slab.ts';
import { newFolder } from '../support/store-directories.ts';
import { Acknowledged, COUNTED, TIMED } from './acknowledged.ts';

/** The place where the judge itself notes. */
const JUDGE = 8191;

export class Judge {
  readonly directory: string;
  readonly acknowledgedPath: string;
  readonly acknowledged: Acknowledged;
  readonly store: MetricStore;
  readonly #reader: SeqlockMetricReader;
  counted = 0;
  timed = 0;
  looks = 0;
  /** Looks at which a total was lower than before. */
  decreases = 0;
  /** Histograms whose count was not the sum of their buckets. */
  torn = 0;

  readonly #provider: SeqlockMeterProvider;

  /** `folder` has the store, or will. */
  constructor(folder: string = newFolder()) {
    this.directory = join(folder, 'store');
    this.acknowledgedPath = join(folder, 'acknowledged');
    this.acknowledged = new Acknowledged(this.acknowledgedPath);
    this.store = MetricStore.open({ directory: this.directory, maxBytes: 16 * 2 ** 20 });
    this.#reader = new SeqlockMetricReader();
    this.#provider = new SeqlockMeterProvider({ store: this.store, readers: [this.#reader] });
  }

  look(): void {
    let [counted, timed] = [0, 0];
    for (const { metrics } of this.#reader.snapshot().scopeMetrics)
      for (const { descriptor, dataPoints } of metrics)
        for (const { value } of dataPoints)
          if (descriptor.name.startsWith('counted')) counted += value as number;
          else if (descriptor.name === 'timed') {
            const { count, buckets } = value as HistogramValue;
            timed += count;
            if (buckets.counts.reduce((sum, one) => sum + one, 0) !== count) this.torn++;
          }
    if (counted < this.counted || timed < this.timed) this.decreases++;
    this.counted = counted;
    this.timed = timed;
    this.looks++;
  }

  /** Records as a process that comes after all others does, and looks whether it counts. */
  canGoOn(): boolean {
    this.look();
    const before = this.counted;
    this.#provider.getMeter('judge').createCounter('counted').add(1);
    this.acknowledged.words[this.acknowledged.index(JUDGE, COUNTED)]!++;
    this.look();
    return this.counted === before + 1;
  }

  /** Measurements in the store that nobody acknowledged: at most one for each writer killed. Negative: some were lost. */
  get surplus(): readonly [counted: number, timed: number] {
    return [this.counted - this.acknowledged.total(COUNTED), this.timed - this.acknowledged.total(TIMED)];
  }

  /** True when all that must hold after `deaths` writers died does. Nobody may record any more. */
  isSound(deaths: number): boolean {
    this.look();
    const [counted, timed] = this.surplus;
    return counted >= 0 && timed >= 0 && counted + timed <= deaths && this.decreases === 0 && this.torn === 0;
  }

  /** What `isSound` judged, in words. */
  get findings(): string {
    const [counted, timed] = this.surplus;
    return (
      `${this.counted} + ${this.timed} in the store, ${signed(counted)} ${signed(timed)} beside what was acknowledged; ` +
      `${this.looks} looks, ${this.decreases} falls, ${this.torn} torn; ` +
      `${slabsUsed(this.store.region)} slabs, ${this.store.usedBytes >> 10} KiB`
    );
  }
}

function signed(number: number): string {
  return number < 0 ? String(number) : `+${number}`;
}
