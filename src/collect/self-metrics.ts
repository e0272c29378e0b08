/**
 * Metrics about the metrics, on request: what the reading thread knows of the store and of its own reading.
 * They are in no cell. Each is read when a snapshot is taken, and from then on is a metric like any other.
 *
 * `storeMetrics` lists them. To add one, add an entry to a list that is given to `SelfMetrics`.
 */
import type { Attributes } from '@opentelemetry/api';
import { VERSION } from '../base/version.ts';
import type { InstrumentKind } from '../state/stream-choices.ts';
import { MetricColumn, type ColumnKind } from './rows/column.ts';
import {
  HISTOGRAM_ROW_BUCKETS,
  HISTOGRAM_ROW_COUNT,
  HISTOGRAM_ROW_SUM,
  histogramLayout,
} from './rows/histogram.ts';
import { numberLayout } from './rows/number.ts';

export interface SelfPoint {
  /** Of a histogram: the sum. */
  readonly value: number;
  /** Of a histogram: how many values it has. */
  readonly count?: number;
  readonly attributes?: Attributes;
}

export interface SelfMetric {
  readonly name: string;
  readonly description: string;
  readonly unit: string;
  /**
   * `counter` must never fall; `level` is a sum that may fall; `gauge` values must not be added up;
   * `histogram` has a sum, a count and one bucket.
   */
  readonly kind: 'counter' | 'level' | 'gauge' | 'histogram';
  /** When a counter began to count, in milliseconds since the epoch. */
  readonly start: number;
  /** The points as they are now; no two with equal attributes. */
  readonly read: () => readonly SelfPoint[];
}

const SCOPE = { name: 'seqlock-metrics', version: VERSION, schemaUrl: undefined };
const INSTRUMENTS = {
  counter: 'OBSERVABLE_COUNTER',
  level: 'OBSERVABLE_UP_DOWN_COUNTER',
  gauge: 'OBSERVABLE_GAUGE',
  histogram: 'HISTOGRAM',
} as const;
const KINDS: Readonly<Record<SelfMetric['kind'], ColumnKind>> = {
  counter: 'counter',
  level: 'up-down-counter',
  gauge: 'gauge',
  histogram: 'histogram',
};
const ALL_CUMULATIVE = (): false => false;
/** How many attribute objects are kept: more than threads can live at once. */
const MAX_KNOWN = 4096;

/** What was reported of a metric at the previous collection with delta temporality, by attributes. */
interface Reported {
  readonly values: ReadonlyMap<string, SelfPoint>;
  readonly endMillis: number;
}

/** A list of such metrics as parts of snapshots. Belongs to one reader. */
export class SelfMetrics {
  readonly #metrics: readonly SelfMetric[];
  readonly #columns: readonly MetricColumn[];
  readonly #deltaColumns: readonly MetricColumn[];
  /** Equal attributes are one object: a row is identified by it from one snapshot to the next. */
  readonly #attributes = new Map<string, Attributes>();
  readonly #reported = new Map<SelfMetric, Reported>();

  constructor(metrics: readonly SelfMetric[]) {
    this.#metrics = metrics;
    this.#columns = metrics.map((metric) => columnOf(metric, false));
    this.#deltaColumns = metrics.map((metric) => columnOf(metric, true));
  }

  /**
   * The metrics at `endMillis`, as columns that the next call refills. For kinds that are `isDelta`, what
   * came since the last call.
   */
  columns(endMillis: number, isDelta: (kind: InstrumentKind) => boolean = ALL_CUMULATIVE): MetricColumn[] {
    return this.#metrics
      .map((metric, i) =>
        isDelta(INSTRUMENTS[metric.kind])
          ? this.#fillChanges(this.#deltaColumns[i]!, metric, endMillis)
          : this.#fill(this.#columns[i]!, metric.read(), metric.start),
      )
      .filter(({ rows }) => rows > 0);
  }

  #fill(column: MetricColumn, points: readonly SelfPoint[], start: number): MetricColumn {
    column.clear();
    for (const { value, count = 0, attributes = {} } of points) {
      const at = column.open();
      if (column.description.kind === 'histogram') {
        column.values.fill(0, at, at + column.stride);
        column.values[at + HISTOGRAM_ROW_COUNT] = count;
        column.values[at + HISTOGRAM_ROW_SUM] = value;
        column.values[at + HISTOGRAM_ROW_BUCKETS] = count;
      } else column.values[at] = value;
      column.close(this.#same(attributes), start);
    }
    return column;
  }

  #fillChanges(column: MetricColumn, metric: SelfMetric, endMillis: number): MetricColumn {
    const points = metric.read();
    const reported = this.#reported.get(metric);
    const values = new Map(points.map((point) => [JSON.stringify(point.attributes), point]));
    this.#reported.set(metric, { values, endMillis });
    const changes = points.map((point) => {
      const before = reported?.values.get(JSON.stringify(point.attributes));
      return metric.kind === 'gauge' || before === undefined
        ? point
        : { ...point, value: point.value - before.value, count: (point.count ?? 0) - (before.count ?? 0) };
    });
    return this.#fill(column, changes, reported?.endMillis ?? metric.start);
  }

  #same(attributes: Attributes): Attributes {
    const key = JSON.stringify(attributes);
    const known = this.#attributes.get(key) ?? attributes;
    if (this.#attributes.size >= MAX_KNOWN) this.#attributes.clear(); // threads come and go for ever
    this.#attributes.set(key, known);
    return known;
  }
}

function columnOf({ name, unit, kind, description }: SelfMetric, isDelta: boolean): MetricColumn {
  const layout = kind === 'histogram' ? histogramLayout([], true, false) : numberLayout(KINDS[kind]);
  return new MetricColumn(
    { scope: SCOPE, name, unit, instrument: INSTRUMENTS[kind], integer: false, isDelta, ...layout },
    description,
  );
}
