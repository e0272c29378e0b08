import type { Attributes, HrTime } from '@opentelemetry/api';
import { isObserved } from '../../state/records.ts';
import { HrTimes } from '../hr-time.ts';
import type { MergedStream } from '../directory/merged-stream.ts';
import type { MetricColumn } from '../snapshot/metric-column.ts';
import type * as D from '../metric-data.ts';
import { THREAD_ATTRIBUTE, WriterAttributes } from './per-writer.ts';
import type { SeriesValues } from './series-values.ts';

interface WriterPoint {
  readonly attributes: Attributes;
  readonly value: number;
}

/** The points of gauges whose writers are reported one by one (`merge: 'per-writer'`), for one reader. */
export class WriterGauges {
  readonly #values: SeriesValues;
  readonly #attributes = new Map<MergedStream, WriterAttributes>();
  readonly #starts = new HrTimes();

  constructor(values: SeriesValues) {
    this.#values = values;
  }

  /** All points of a stream. `words` of its region. */
  points(stream: MergedStream, endTime: HrTime, words: Int32Array): D.DataPoint<number>[] {
    const points: D.DataPoint<number>[] = [];
    for (let series = 0; series < stream.size; series++) {
      if (!stream.isLive(series, words)) continue;
      const startTime = this.#starts.of(stream.startOf(series));
      for (const { attributes, value } of this.#of(stream, series))
        points.push({ startTime, endTime, attributes, value });
    }
    return points;
  }

  /** Adds the rows of one series to a column. */
  fill(column: MetricColumn, stream: MergedStream, series: number): void {
    for (const { attributes, value } of this.#of(stream, series)) {
      const at = column.open(); // first: it may make `values` anew
      column.values[at] = value;
      column.close(attributes, stream.startOf(series));
    }
  }

  /** A series that has the thread's attribute says by itself whose it is. */
  #of(stream: MergedStream, series: number): readonly WriterPoint[] {
    const observed = isObserved(stream.description.kind);
    const attributes = stream.attributes[series]!;
    if (Object.hasOwn(attributes, THREAD_ATTRIBUTE)) {
      const value = this.#values.lastValue(stream, series, observed);
      return value === undefined ? [] : [{ attributes, value }];
    }
    let known = this.#attributes.get(stream);
    if (known === undefined) this.#attributes.set(stream, (known = new WriterAttributes()));
    return this.#values
      .writerValues(stream, series, observed)
      .map((one) => ({ attributes: known.of(stream, series, one), value: one.value }));
  }
}
