import type { ScopeMetrics } from '../../src/collect/metric-data.ts';
import type { Snapshots } from '../../src/collect/snapshot/snapshot.ts';
import { DataPoints } from '../../src/export/data-points.ts';
import type { InstrumentKind } from '../../src/state/stream-choices.ts';

/** A snapshot as OpenTelemetry's objects. `isDelta`: see `Snapshots.read`. */
export function scopeMetricsOf(
  snapshots: Snapshots,
  isDelta?: (kind: InstrumentKind) => boolean,
): ScopeMetrics[] {
  const points = new DataPoints();
  snapshots.read(points, isDelta);
  return points.end({ attributes: {} }).scopeMetrics;
}
