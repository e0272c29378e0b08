import { expect } from 'chai';
import { deserialize, serialize } from 'node:v8';
import { CellReader } from '../../src/collect/rows/cell-reader.ts';
import { StoreReader } from '../../src/collect/directory/store-reader.ts';
import type { DataPoint } from '../../src/collect/metric-data.ts';
import type { DeltaState } from '../../src/collect/snapshot/deltas.ts';
import { Snapshots } from '../../src/collect/snapshot/snapshot.ts';
import type { Region } from '../../src/memory/region.ts';
import { scopeMetricsOf } from './snapshot-metrics.ts';

/** The key of the overflow series in `Values`. */
export const OVERFLOW = 'overflow';

/** Values of a metric by its attribute `set`. */
export type Values = Map<unknown, number>;

/** A reader of totals, as points and in kept columns, and one of deltas, as they would be in an exporter thread. */
export class SetExporter {
  readonly #region: Region;
  readonly #totals: Snapshots;
  readonly #deltas: Snapshots;

  constructor(region: Region, before?: SetExporter) {
    this.#region = region;
    const store = new StoreReader(region);
    this.#totals = new Snapshots(store, new CellReader());
    this.#deltas = new Snapshots(store, new CellReader());
    if (before !== undefined)
      this.#deltas.reported.resume(deserialize(serialize(before.#deltas.reported.states())) as DeltaState[]);
  }

  /** Another, that goes on where this one is. */
  replaced(): SetExporter {
    return new SetExporter(this.#region, this);
  }

  totals(): Values {
    const values = valuesOf(this.#totals, false);
    const columns = this.#totals.takeColumns();
    const rows = columns.flatMap(({ attributes, values: row, rows: count }) =>
      Array.from({ length: count }, (_, i) => [attributes[i]!['set'] ?? OVERFLOW, row[i]!] as const),
    );
    expect(new Map<unknown, number>(rows), 'in columns').to.deep.equal(values);
    return values;
  }

  deltas(): Values {
    return valuesOf(this.#deltas, true);
  }
}

function valuesOf(snapshots: Snapshots, isDelta: boolean): Values {
  const points = scopeMetricsOf(snapshots, () => isDelta).flatMap(({ metrics }) =>
    metrics.flatMap(({ dataPoints }) => dataPoints as DataPoint<number>[]),
  );
  return new Map(points.map(({ attributes, value }) => [attributes['set'] ?? OVERFLOW, value]));
}
