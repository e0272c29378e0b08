import { NONE, type MergedStream } from '../collect/directory/merged-stream.ts';
import type { CellCopies } from '../collect/rows/cell-copies.ts';
import { GaugeRows } from '../collect/rows/number.ts';
import { LAST_VALUE } from '../state/cells/last-value-cell.ts';
import type { Aggregator } from './types.ts';

/** Gauges whose values of live threads become one as prom-client's aggregators say. */
export class AggregatedRows extends GaugeRows {
  readonly #aggregator: Aggregator;
  readonly #ownSlab: () => number | undefined;

  constructor(
    stream: MergedStream,
    copies: CellCopies,
    aggregator: Aggregator,
    ownSlab: () => number | undefined,
  ) {
    super(stream, copies);
    this.#aggregator = aggregator;
    this.#ownSlab = ownSlab;
  }

  override fill(series: number, row: Float64Array, at: number): boolean {
    const { stream } = this;
    const own = this.#ownSlab();
    let value: number | undefined;
    let count = 0;
    for (
      let contribution = stream.firstOf(series);
      contribution !== NONE;
      contribution = stream.nextOf(contribution)
    ) {
      const one = this.current(contribution)?.[LAST_VALUE];
      if (one === undefined) continue;
      value = count++ === 0 ? one : this.#merge(value!, one, stream.slabOf(contribution) === own);
    }
    if (value === undefined) return false;
    row[at] = this.#aggregator === 'average' ? value / count : value;
    return true;
  }

  #merge(value: number, one: number, isOwn: boolean): number {
    switch (this.#aggregator) {
      case 'min':
        return Math.min(value, one);
      case 'max':
        return Math.max(value, one);
      case 'first':
      case 'omit': // for the thread itself; a cluster's scrape leaves it out
        return isOwn ? one : value;
      default:
        return value + one;
    }
  }
}
