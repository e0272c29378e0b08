import type { HistogramValue } from '../../collect/metric-data.ts';

/** One bucket of `HistogramStats`. */
export interface HistogramBucket {
  /** Upper inclusive bound; +Infinity for the last. */
  readonly upperBound: number;
  /** Observations up to the bound: those of the buckets below it too. */
  readonly cumulativeCount: number;
}

/** What a histogram has observed: one consistent state, which does not change. */
export class HistogramStats {
  /** How many values were observed. */
  readonly count: number;
  /** Their sum. */
  readonly sum: number;
  /** The smallest; NaN when nothing was observed. */
  readonly min: number;
  /** The greatest; NaN when nothing was observed. */
  readonly max: number;
  /** `sum` / `count`; NaN when nothing was observed. */
  readonly mean: number;
  /** Ascending, the bucket up to +Infinity included. */
  readonly buckets: readonly HistogramBucket[];

  constructor({ count, sum = 0, min = Number.NaN, max = Number.NaN, buckets }: HistogramValue) {
    this.count = count;
    this.sum = sum;
    this.min = count === 0 ? Number.NaN : min;
    this.max = count === 0 ? Number.NaN : max;
    this.mean = sum / count;
    let cumulativeCount = 0;
    this.buckets = buckets.counts.map((counted, i) => {
      cumulativeCount += counted;
      return { upperBound: buckets.boundaries[i] ?? Infinity, cumulativeCount };
    });
  }

  /** The stats of a histogram that has observed nothing. */
  static empty(boundaries: readonly number[]): HistogramStats {
    const counts = Array.from({ length: boundaries.length + 1 }, () => 0);
    return new HistogramStats({ count: 0, buckets: { boundaries: [...boundaries], counts } });
  }

  /**
   * An estimate of the quantile `q` (0.95: the value that 95 % of the observations do not exceed), computed
   * like Prometheus' `histogram_quantile`: linear within the bucket; the lowest bucket begins at 0 if its
   * bound is above 0; in the last bucket it is the bound before it. NaN when nothing was observed; -Infinity
   * for q below 0, +Infinity for q above 1.
   * https://github.com/prometheus/prometheus/blob/v3.5.0/promql/quantile.go (BucketQuantile)
   */
  quantile(q: number): number {
    const { buckets, count } = this;
    if (Number.isNaN(q) || count === 0) return Number.NaN;
    if (q < 0) return -Infinity;
    if (q > 1) return Infinity;
    const rank = q * count;
    const last = buckets.length - 1;
    let found = 0;
    while (found < last && buckets[found]!.cumulativeCount < rank) found++;
    if (found === last) return last === 0 ? Number.NaN : buckets[last - 1]!.upperBound;
    const { upperBound, cumulativeCount } = buckets[found]!;
    if (found === 0 && upperBound <= 0) return upperBound;
    const below = buckets[found - 1] ?? { upperBound: 0, cumulativeCount: 0 };
    const within = (rank - below.cumulativeCount) / (cumulativeCount - below.cumulativeCount);
    return below.upperBound + (upperBound - below.upperBound) * within;
  }

  /** The median, by `quantile(0.5)`. */
  get p50(): number {
    return this.quantile(0.5);
  }

  /** `quantile(0.9)`. */
  get p90(): number {
    return this.quantile(0.9);
  }

  /** `quantile(0.95)`. */
  get p95(): number {
    return this.quantile(0.95);
  }

  /** `quantile(0.99)`. */
  get p99(): number {
    return this.quantile(0.99);
  }
}
