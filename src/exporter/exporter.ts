import type { AddressInfo } from 'node:net';
import { clearInterval, setInterval } from '../base/platform.ts';
import { tellOfLoss } from '../base/warnings.ts';
import { MetricSource, type MetricSourceOptions } from '../collect/metric-source.ts';
import type { Region } from '../memory/region.ts';
import { BlockedThreads, LOOK_MILLIS } from './blocked-threads.ts';
import { DeltaKeeper, type KeeperPlace } from './delta-keeper.ts';
import { DeliveryRecord } from './delivery-record.ts';
import { HostNames, type KnownAddresses } from './host-names.ts';
import type { ExporterPlan } from './options.ts';
import { Page } from './page.ts';
import { pushOtlp } from './otlp.ts';
import { servePrometheus } from './prometheus-server.ts';
import { PushMetrics } from './push-metrics.ts';
import { pushToConsole, type Push, type PushSource } from './push.ts';

/** Serves and pushes the metrics of a region, until it is stopped. */
export interface Exporter {
  /** Where it serves Prometheus; undefined if it does not, or another process still has its port. */
  readonly address: AddressInfo | undefined;
  /**
   * Pushes now. Resolves to false if not everything was delivered; never rejects. `isLast`: the app ends, and
   * must not wait long for a collector that has never taken anything.
   */
  flush(isLast?: boolean): Promise<boolean>;
  /** Why the latest pushes were not delivered; empty if all were. */
  readonly reason: string;
  /**
   * Stops pushing, and closes the server. Answers that are being sent have a second to end. Never rejects.
   */
  stop(): Promise<void>;
}

/** What an exporter that died leaves to its successor. Plain data, which can be sent to a thread. */
export interface Legacy {
  readonly keeper: KeeperPlace;
  /** The answers that `onFound` got. */
  readonly addresses?: KnownAddresses;
}

/** Called by an exporter while it runs. */
export interface ExporterListener {
  /** It serves Prometheus now. Called before `startExporter` resolves, or when its port is free. */
  readonly onListening?: (address: AddressInfo) => void;
  /** The system has found the addresses of a host name. */
  readonly onFound?: (name: string, addresses: KnownAddresses[string]) => void;
}

/**
 * Exports a region as `plan` says, in the thread that calls it, and keeps its event loop alive. Rejects, and
 * leaves nothing behind, if it cannot listen or a package is missing. If the port is taken, it waits until it
 * is free. Of a store of several processes, call it as the holder of the lease.
 */
export async function startExporter(
  region: Region,
  plan: ExporterPlan,
  { keeper, addresses }: Legacy,
  listener: ExporterListener = {},
): Promise<Exporter> {
  warnOfSecondReader(region);
  const names = new HostNames(addresses, listener.onFound);
  const blocked = plan.blockedThreads ? new BlockedThreads(region) : undefined;
  const isMeasured = plan.selfMetrics && (plan.otlp !== undefined || plan.console !== undefined);
  const metrics = isMeasured ? new PushMetrics(region.takeTime()) : undefined;
  /** Each reader has a source of its own, which keeps what it has read. */
  const newSource = (options: MetricSourceOptions = {}): MetricSource =>
    new MetricSource(
      { region },
      {
        selfMetrics: plan.selfMetrics,
        ...options,
        moreMetrics: [...(blocked ? [blocked.metric] : []), ...(metrics?.metrics ?? [])],
      },
    );
  const source: PushSource = { newSource, keeper: new DeltaKeeper(keeper), metrics };
  const pushes: Push[] = [];
  let page: Page | undefined;
  try {
    if (plan.otlp !== undefined) pushes.push(pushOtlp(source, plan.otlp, plan.histogramSelection, names));
    if (plan.console !== undefined) pushes.push(pushToConsole(source, plan.console));
    const scrapes = new DeliveryRecord('Scraping by Prometheus');
    page = plan.page
      ? new Page(newSource({ selfMetrics: true }), plan.exposition, {
          blocked,
          deliveries: () => [...(plan.prometheus ? [scrapes] : []), ...pushes].map(({ status }) => status),
        })
      : undefined;
    const server =
      plan.prometheus &&
      (await servePrometheus(newSource(), plan.prometheus, plan.exposition, names, listener.onListening, {
        scrapes,
        page,
      }));
    const looks = blocked && setInterval(() => blocked.look(), LOOK_MILLIS);
    return {
      get address() {
        return server?.address();
      },
      get reason() {
        return pushes.flatMap(({ reason }) => reason ?? []).join('; ');
      },
      async flush(isLast = false) {
        return (await Promise.all(pushes.map((push) => push.flush(isLast)))).every(Boolean);
      },
      async stop() {
        clearInterval(looks);
        for (const push of pushes) push.stop();
        await server?.close();
      },
    };
  } catch (error) {
    page?.close();
    for (const push of pushes) push.stop();
    throw error;
  }
}

/** Warns if somebody else in this process exports the same metrics. Processes agree before they export. */
function warnOfSecondReader(region: Region): void {
  if (region.directory !== undefined || region.lease.take()) return;
  tellOfLoss(
    'warn',
    'seqlock-metrics: the exporter thread reads a store that another thread already reads, so its metrics are exported twice. Give the provider no readers where there is an exporter thread',
  );
}
