import type { AddressInfo } from 'node:net';
import { tellOfLoss } from '../base/warnings.ts';
import { setInterval, clearInterval } from '../base/platform.ts';
import { MetricSource, type MetricSourceOptions } from '../collect/metric-source.ts';
import { PulseReader } from '../memory/pulse.ts';
import type { Region } from '../memory/region.ts';
import { blockedThreads, LOOK_MILLIS } from './blocked-threads.ts';
import { DeltaKeeper, type KeeperMemory } from './delta-keeper.ts';
import type { ExporterPlan } from './options.ts';
import { servePrometheus } from './prometheus-server.ts';
import { pushOtlp, pushToConsole, type Push, type PushSource } from './push.ts';

/** Serves and pushes the metrics of a region, until it is stopped. */
export interface Exporter {
  /** Where it serves Prometheus; undefined when it does not. */
  readonly address: AddressInfo | undefined;
  /** Pushes now. Resolves to false when not all was delivered; never rejects. */
  flush(): Promise<boolean>;
  /** Pushes once more and closes the server. To be called once; never rejects. */
  stop(): Promise<void>;
}

/**
 * Exports a region as `plan` says, from the thread that calls it, whose event loop it keeps up. `keeper` is what an exporter that died, and had
 * the same plan, has left; or new memory. Rejects, and leaves nothing behind, when it cannot listen or a package is missing.
 */
export async function startExporter(
  region: Region,
  plan: ExporterPlan,
  keeper: KeeperMemory,
): Promise<Exporter> {
  if (!region.lease.take())
    tellOfLoss(
      'warn',
      'seqlock-metrics: the exporter thread reads a store that another thread reads too: its metrics are exported twice. Give the provider no readers where there is an exporter thread',
    );
  const pulses = new PulseReader(region);
  /** Each reader has its own: it keeps what it has read. */
  const newSource = (options: MetricSourceOptions = {}): MetricSource =>
    new MetricSource(
      { region },
      { ...options, selfMetrics: plan.selfMetrics, moreMetrics: [blockedThreads(pulses, region.takeTime())] },
    );
  const source: PushSource = { newSource, keeper: new DeltaKeeper(keeper) };
  const pushes: Push[] = [];
  const shutDown = (): Promise<unknown> => Promise.allSettled(pushes.map((push) => push.shutdown()));
  try {
    if (plan.otlp !== undefined) pushes.push(await pushOtlp(source, plan.otlp, plan.histogramSelection));
    if (plan.console !== undefined) pushes.push(await pushToConsole(source, plan.console));
    const server = plan.prometheus && (await servePrometheus(newSource(), plan.prometheus, plan.exposition));
    const looks = setInterval(() => pulses.look(), LOOK_MILLIS);
    return {
      address: server?.address,
      async flush() {
        const outcomes = await Promise.allSettled(pushes.map((push) => push.flush()));
        return outcomes.every((outcome) => outcome.status === 'fulfilled' && outcome.value);
      },
      async stop() {
        clearInterval(looks);
        await Promise.all([shutDown(), server?.close()]);
      },
    };
  } catch (error) {
    await shutDown();
    throw error;
  }
}
