import { observeOtherThreads, runCallbacks } from './collect-callbacks.ts';
import { aggregators, type JsonMetric } from './aggregators.ts';
import { metricText } from './metric-text.ts';
import { globalRegistry, Registry } from './registry.ts';
import { storedMetrics } from './stored-metrics.ts';
import type { OpenMetricsContentType, RegistryContentType } from './types.ts';

type AnyRegistry = Registry | Registry<OpenMetricsContentType>;

/**
 * A registry that also exports what all threads and processes of the store have recorded. It asks nobody, so
 * that a process that hangs or was killed delays nothing and takes nothing away. Only `collect` callbacks of
 * others are waited for, a short time.
 */
export class AggregatorRegistry<T extends RegistryContentType> extends Registry<T> {
  /** All metrics in the store, those of this process included, in the format of this registry. */
  async clusterMetrics(): Promise<string> {
    await Promise.all([observeOtherThreads(), runCallbacks()]);
    const families = new Map<string, JsonMetric[]>();
    for (const metric of storedMetrics()) {
      const same = families.get(metric.name);
      if (same === undefined) families.set(metric.name, [metric]);
      else same.push(metric);
    }
    if (families.size === 0) return '';
    const isOpenMetrics = (this.contentType as string) === Registry.OPENMETRICS_CONTENT_TYPE;
    const defaultLabels = { ...globalRegistry._defaultLabels, ...this._defaultLabels };
    const texts = [...families].map(([name, same]) => {
      const metric = same.length === 1 ? same[0]! : aggregators.sum(same)!;
      const shown = isOpenMetrics && metric.type === 'counter' ? name.replace(/_total$/, '') : name;
      return metricText({ ...metric, name: shown } as never, defaultLabels, isOpenMetrics);
    });
    return isOpenMetrics ? `${texts.join('\n')}\n# EOF\n` : `${texts.join('\n\n')}\n`;
  }

  /**
   * A registry with what `getMetricsAsJSON` of several registries gave, made one by the `aggregator` of each
   * metric.
   *
   * @throws Error for an aggregator that there is not.
   */
  static aggregate<T extends RegistryContentType>(
    metricsArr: object[],
    registryType: T = Registry.PROMETHEUS_CONTENT_TYPE as T,
  ): Registry<T> {
    const registry = new Registry<T>();
    registry.setContentType(registryType);
    const byName = new Map<string, JsonMetric[]>();
    for (const metric of (metricsArr as JsonMetric[][]).flat()) {
      const same = byName.get(metric.name);
      if (same === undefined) byName.set(metric.name, [metric]);
      else same.push(metric);
    }
    for (const metrics of byName.values()) {
      const { aggregator } = metrics[0]!;
      const aggregate = aggregators[aggregator as keyof typeof aggregators];
      if (typeof aggregate !== 'function') throw new Error(`'${aggregator}' is not a defined aggregator.`);
      const metric = aggregate(metrics);
      if (metric !== undefined) registry.registerMetric({ get: () => metric, ...metric } as never);
    }
    return registry;
  }

  /**
   * Has no effect: what the metrics of any registry record is in the store.
   *
   * @throws TypeError for what is no registry.
   */
  static setRegistries(regs: AnyRegistry[] | AnyRegistry): void {
    for (const registry of Array.isArray(regs) ? regs : [regs])
      if (!(registry instanceof Registry)) throw new TypeError(`Expected Registry, got ${typeof registry}`);
  }
}
