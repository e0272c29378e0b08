import type { PushMetricExporter, ResourceMetrics } from '@opentelemetry/sdk-metrics';
import { tell, tellOfLoss } from '../base/warnings.ts';
import { DATA_POINT_GAUGE, TEMPORALITY_DELTA } from '../collect/metric-data.ts';

/**
 * What becomes of an exporter's pushes. Of an outage it tells twice: of the first push that fails, with the reason, and when one succeeds
 * again, with what the outage cost: deltas are told once, and are lost with a push that fails for good. Totals are not.
 *
 * The official reader would tell of each push, for as long as a collector is away, so it is told that all went well: it would do nothing
 * else about it.
 */
export class PushOutcome {
  readonly #where: string;
  #failedPushes = 0;
  #lostPoints = 0;

  /** `begin` is called when a push begins, and what it returns when that has come to its end, either way. */
  constructor(exporter: PushMetricExporter, where: string, begin: () => () => void) {
    this.#where = where;
    const send = exporter.export.bind(exporter);
    exporter.export = (metrics, done) => {
      const end = begin();
      send(metrics, ({ code, error }) => {
        if (code === 0) this.#succeeded();
        else this.#failed(metrics, error);
        end();
        done({ code: 0 });
      });
    };
  }

  /** True from a push that failed to the next that succeeds. */
  get failing(): boolean {
    return this.#failedPushes > 0;
  }

  /** To be called when nothing is pushed any more. */
  end(): void {
    if (this.failing)
      tellOfLoss('warn', `seqlock-metrics: pushing to ${this.#where} ended with ${this.#cost()}`);
    this.#failedPushes = 0;
  }

  #failed(metrics: ResourceMetrics, error: Error | undefined): void {
    const lost = deltaPointsIn(metrics);
    this.#lostPoints += lost;
    if (this.#failedPushes++ > 0) return;
    const next =
      lost > 0
        ? 'the deltas in those that fail are lost'
        : 'totals are delivered with the first that succeeds';
    tellOfLoss(
      'warn',
      `seqlock-metrics: metrics could not be pushed to ${this.#where}: ${error?.message ?? 'no reason given'}. Every further push is tried; ${next}`,
    );
  }

  #succeeded(): void {
    if (!this.failing) return;
    const message = `seqlock-metrics: metrics are pushed to ${this.#where} again, after ${this.#cost()}`;
    if (this.#lostPoints > 0) tellOfLoss('warn', message);
    else tell('info', message);
    this.#failedPushes = 0;
    this.#lostPoints = 0;
  }

  #cost(): string {
    const pushes = `${this.#failedPushes} pushes that failed`;
    return this.#lostPoints === 0
      ? pushes
      : `${pushes}, and ${this.#lostPoints} delta data points lost in them`;
  }
}

/** Differences alone: a gauge's point is a value, whatever temporality it is marked with. */
function deltaPointsIn({ scopeMetrics }: ResourceMetrics): number {
  return scopeMetrics
    .flatMap(({ metrics }) => metrics)
    .filter(
      ({ aggregationTemporality, dataPointType }) =>
        (aggregationTemporality as number) === TEMPORALITY_DELTA &&
        (dataPointType as number) !== DATA_POINT_GAUGE,
    )
    .reduce((sum, { dataPoints }) => sum + dataPoints.length, 0);
}
