/**
 * prom-client's default metrics: the same names, labels and texts.
 *
 * Each thread that calls `collectDefaultMetrics` measures what belongs to it: event loop, heap and garbage
 * collection. What belongs to the process is measured in its main thread only, and workers show that.
 * Otherwise the sum over threads would count the process several times.
 */
import { trace } from '@opentelemetry/api';
import { readdirSync, readFileSync } from 'node:fs';
import { constants, monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks';
import { getHeapSpaceStatistics } from 'node:v8';
import { isMainThread } from 'node:worker_threads';
import { nanoseconds, setImmediate, systemClock } from '../base/platform.ts';
import { Counter } from './counter.ts';
import { Gauge } from './gauge.ts';
import { Histogram } from './histogram.ts';
import type { Registry } from './registry.ts';
import type { Aggregator, RegistryContentType } from './types.ts';
import { isObject } from './validation.ts';

export interface DefaultMetricsCollectorConfiguration<T extends RegistryContentType> {
  register?: Registry<T>;
  prefix?: string;
  gcDurationBuckets?: number[];
  eventLoopMonitoringPrecision?: number;
  labels?: object;
}
type Labels = Record<string, string | number>;

interface Config {
  readonly registers: Registry<any>[] | undefined;
  readonly prefix: string;
  readonly labels: Labels;
  readonly names: string[];
  readonly eventLoopMonitoringPrecision: number;
  readonly gcDurationBuckets: number[];
  readonly enableExemplars: boolean;
}

interface GaugeOptions {
  readonly aggregator?: Aggregator;
  readonly more?: readonly string[];
  readonly collect?: (this: Gauge) => void;
}

function gauge(
  config: Config,
  name: string,
  help: string,
  { aggregator, more = [], collect }: GaugeOptions = {},
): Gauge {
  return new Gauge({
    name: config.prefix + name,
    help,
    registers: config.registers!,
    labelNames: [...more, ...config.names],
    ...(aggregator && { aggregator }),
    ...(collect && { collect }),
  });
}

/** A gauge of the process. */
function processGauge(config: Config, name: string, help: string, options: GaugeOptions = {}): Gauge {
  if (isMainThread) return gauge(config, name, help, options);
  const { aggregator, more } = options;
  const made = gauge(config, name, help, { ...(aggregator && { aggregator }), ...(more && { more }) });
  made.remove({}); // this thread has no value of it
  return made;
}

function processCpuTotal(config: Config): void {
  const counter = (name: string, help: string, collect?: () => void): Counter =>
    new Counter({
      name: config.prefix + name,
      help,
      registers: config.registers!,
      labelNames: config.names,
      enableExemplars: config.enableExemplars,
      ...(isMainThread && collect && { collect }),
    });
  let last = process.cpuUsage();
  const { labels } = config;
  const user = counter('process_cpu_user_seconds_total', 'Total user CPU time spent in seconds.', () => {
    const usage = process.cpuUsage();
    const userMicros = usage.user - last.user;
    const systemMicros = usage.system - last.system;
    last = usage;
    add(user, userMicros / 1e6);
    add(system, systemMicros / 1e6);
    add(total, (userMicros + systemMicros) / 1e6);
  });
  const system = counter('process_cpu_system_seconds_total', 'Total system CPU time spent in seconds.');
  const total = counter('process_cpu_seconds_total', 'Total user and system CPU time spent in seconds.');
  const add = (to: Counter, value: number): void => {
    if (!config.enableExemplars) to.inc(labels, value);
    else to.inc({ labels, value, exemplarLabels: spanLabels() });
  };
}

function spanLabels(): Labels {
  const span = trace.getActiveSpan()?.spanContext();
  return span === undefined ? {} : { traceId: span.traceId, spanId: span.spanId };
}

const START_SECONDS = Math.round(systemClock.now() / 1000 - process.uptime());

function processStartTime(config: Config): void {
  processGauge(
    config,
    'process_start_time_seconds',
    'Start time of the process since unix epoch in seconds.',
    {
      aggregator: 'omit',
      collect() {
        this.set(config.labels, START_SECONDS);
      },
    },
  );
}

function osMemoryHeap(config: Config): void {
  const { labels } = config;
  const name = 'process_resident_memory_bytes';
  const help = 'Resident memory size in bytes.';
  if (process.platform !== 'linux') {
    processGauge(config, name, help, {
      collect() {
        const usage = memoryUsage();
        if (usage) this.set(labels, usage.rss);
      },
    });
    return;
  }
  const resident = processGauge(config, name, help, {
    collect() {
      const { VmRSS, VmSize, VmData } = memoryOfLinux() ?? {};
      if (VmRSS === undefined || VmSize === undefined || VmData === undefined) return;
      resident.set(labels, VmRSS);
      virtual.set(labels, VmSize);
      heap.set(labels, VmData);
    },
  });
  const virtual = processGauge(config, 'process_virtual_memory_bytes', 'Virtual memory size in bytes.');
  const heap = processGauge(config, 'process_heap_bytes', 'Process heap size in bytes.');
}

/** In bytes; undefined where it cannot be read. */
function memoryOfLinux(): Readonly<Record<string, number>> | undefined {
  try {
    const status = readFileSync('/proc/self/status', 'utf8');
    const found = [...status.matchAll(/^(VmSize|VmRSS|VmData):\s*(\d+) kB$/gm)];
    return Object.fromEntries(found.map(([, name, kilobytes]) => [name, Number(kilobytes) * 1024]));
  } catch {
    return undefined;
  }
}

function memoryUsage(): NodeJS.MemoryUsage | undefined {
  try {
    return process.memoryUsage();
  } catch {
    return undefined;
  }
}

function processOpenFileDescriptors(config: Config): void {
  if (process.platform !== 'linux') return;
  processGauge(config, 'process_open_fds', 'Number of open file descriptors.', {
    collect() {
      try {
        this.set(config.labels, readdirSync('/proc/self/fd').length - 1); // without that of the look itself
      } catch {
        // may not be read
      }
    },
  });
}

function processMaxFileDescriptors(config: Config): void {
  let limits: string;
  try {
    limits = readFileSync('/proc/self/limits', 'utf8');
  } catch {
    return;
  }
  const most = /^Max open files +(\S+)/m.exec(limits)?.[1];
  if (most === undefined) return;
  processGauge(config, 'process_max_fds', 'Maximum number of open file descriptors.', {
    collect() {
      this.set(config.labels, Number(most));
    },
  });
}

function eventLoopLag(config: Config): void {
  const { labels } = config;
  const delays = monitorEventLoopDelay({ resolution: config.eventLoopMonitoringPrecision });
  delays.enable();
  const average: GaugeOptions = { aggregator: 'average' };
  const lag = gauge(config, 'nodejs_eventloop_lag_seconds', 'Lag of event loop in seconds.', {
    ...average,
    collect() {
      const start = nanoseconds();
      setImmediate(() => lag.set(labels, Number(nanoseconds() - start) / 1e9));
      min.set(labels, delays.min / 1e9);
      max.set(labels, delays.max / 1e9);
      mean.set(labels, delays.mean / 1e9);
      deviation.set(labels, delays.stddev / 1e9);
      for (const [percentile, to] of percentiles) to.set(labels, delays.percentile(percentile) / 1e9);
      delays.reset();
    },
  });
  const of = (name: string, help: string, options = average): Gauge =>
    gauge(config, `nodejs_eventloop_lag_${name}_seconds`, help, options);
  const min = of('min', 'The minimum recorded event loop delay.', { aggregator: 'min' });
  const max = of('max', 'The maximum recorded event loop delay.', { aggregator: 'max' });
  const mean = of('mean', 'The mean of the recorded event loop delays.');
  const deviation = of('stddev', 'The standard deviation of the recorded event loop delays.');
  const percentiles = [50, 90, 99].map(
    (percentile) =>
      [
        percentile,
        of(`p${percentile}`, `The ${percentile}th percentile of the recorded event loop delays.`),
      ] as const,
  );
}

/** How many of each kind there are of what keeps the process busy, and how many in all. */
function activities(
  config: Config,
  name: string,
  { help, totalHelp }: { readonly help: string; readonly totalHelp: string },
  kindsOf: () => readonly (string | undefined)[],
): void {
  gauge(config, name, help, {
    more: ['type'],
    collect() {
      const counts = new Map<string, number>();
      for (const kind of kindsOf()) if (kind !== undefined) counts.set(kind, (counts.get(kind) ?? 0) + 1);
      this.reset();
      for (const [type, count] of counts) this.set({ type, ...config.labels }, count);
    },
  });
  gauge(config, `${name}_total`, totalHelp, {
    collect() {
      this.set(config.labels, kindsOf().length);
    },
  });
}

/** Functions of Node that are not in its types. */
const node = process as unknown as Record<
  '_getActiveHandles' | '_getActiveRequests',
  (() => readonly object[]) | undefined
>;

function classNames(objects: readonly (object | undefined)[]): (string | undefined)[] {
  return objects.map((one) => (one?.constructor === undefined ? undefined : one.constructor.name));
}

function processResources(config: Config): void {
  const help =
    'Number of active resources that are currently keeping the event loop alive, grouped by async resource type.';
  const texts = { help, totalHelp: 'Total number of active resources.' };
  activities(config, 'nodejs_active_resources', texts, () => process.getActiveResourcesInfo());
}

function processHandles(config: Config): void {
  if (typeof node._getActiveHandles !== 'function') return;
  const help = 'Number of active libuv handles grouped by handle type. Every handle type is C++ class name.';
  const texts = { help, totalHelp: 'Total number of active handles.' };
  activities(config, 'nodejs_active_handles', texts, () => classNames(node._getActiveHandles!()));
}

function processRequests(config: Config): void {
  if (typeof node._getActiveRequests !== 'function') return;
  const help =
    'Number of active libuv requests grouped by request type. Every request type is C++ class name.';
  const texts = { help, totalHelp: 'Total number of active requests.' };
  activities(config, 'nodejs_active_requests', texts, () => classNames(node._getActiveRequests!()));
}

function heapSizeAndUsed(config: Config): void {
  const { labels } = config;
  const total = gauge(config, 'nodejs_heap_size_total_bytes', 'Process heap size from Node.js in bytes.', {
    collect() {
      const usage = memoryUsage();
      if (usage === undefined) return;
      total.set(labels, usage.heapTotal);
      used.set(labels, usage.heapUsed);
      external.set(labels, usage.external);
    },
  });
  const used = gauge(config, 'nodejs_heap_size_used_bytes', 'Process heap size used from Node.js in bytes.');
  const external = gauge(config, 'nodejs_external_memory_bytes', 'Node.js external memory size in bytes.');
}

function heapSpacesSizeAndUsed(config: Config): void {
  const of = (kind: string, collect?: () => void): Gauge =>
    gauge(
      config,
      `nodejs_heap_space_size_${kind}_bytes`,
      `Process heap space size ${kind} from Node.js in bytes.`,
      { more: ['space'], ...(collect && { collect }) },
    );
  const total = of('total', () => {
    for (const statistics of getHeapSpaceStatistics()) {
      const space = statistics.space_name.slice(0, statistics.space_name.indexOf('_space'));
      const labels = { space, ...config.labels };
      total.set(labels, statistics.space_size);
      used.set(labels, statistics.space_used_size);
      available.set(labels, statistics.space_available_size);
    }
  });
  const used = of('used');
  const available = of('available');
}

function version(config: Config): void {
  const [major, minor, patch] = process.version.slice(1).split('.').map(Number);
  gauge(config, 'nodejs_version_info', 'Node.js version info.', {
    aggregator: 'first',
    more: ['version', 'major', 'minor', 'patch'],
    collect() {
      const values = [process.version, major, minor, patch, ...Object.values(config.labels)];
      this.labels(...(values as string[])).set(1);
    },
  });
}

const GC_KINDS: ReadonlyMap<number, string> = new Map([
  [constants.NODE_PERFORMANCE_GC_MAJOR, 'major'],
  [constants.NODE_PERFORMANCE_GC_MINOR, 'minor'],
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL, 'incremental'],
  [constants.NODE_PERFORMANCE_GC_WEAKCB, 'weakcb'],
]);

function gc(config: Config): void {
  const durations = new Histogram({
    name: `${config.prefix}nodejs_gc_duration_seconds`,
    help: 'Garbage collection duration by kind, one of major, minor, incremental or weakcb.',
    labelNames: ['kind', ...config.names],
    buckets: config.gcDurationBuckets,
    registers: config.registers!,
  });
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      // The type of entries does not have what those of this kind have.
      const { kind } = (entry as unknown as { readonly detail: { readonly kind: number } }).detail;
      durations.observe({ kind: GC_KINDS.get(kind)!, ...config.labels }, entry.duration / 1000);
    }
  }).observe({ entryTypes: ['gc'] });
}

const METRICS = {
  processCpuTotal,
  processStartTime,
  osMemoryHeap,
  processOpenFileDescriptors,
  processMaxFileDescriptors,
  eventLoopLag,
  processResources,
  processHandles,
  processRequests,
  heapSizeAndUsed,
  heapSpacesSizeAndUsed,
  version,
  gc,
};

/**
 * Makes prom-client's default metrics.
 *
 * @throws TypeError if `config` is no object; Error if the registry has them already.
 */
export const collectDefaultMetrics: {
  <T extends RegistryContentType>(config?: DefaultMetricsCollectorConfiguration<T>): void;
  /** The names of the groups of metrics. */
  metricsList: string[];
} = Object.assign(makeAll, { metricsList: Object.keys(METRICS) });

function makeAll(config: unknown): void {
  if (config !== null && config !== undefined && !isObject(config))
    throw new TypeError('config must be null, undefined, or an object');
  const { register, prefix, labels, gcDurationBuckets, eventLoopMonitoringPrecision, enableExemplars } =
    (config ?? {}) as DefaultMetricsCollectorConfiguration<RegistryContentType> & {
      readonly enableExemplars?: boolean;
    };
  const all: Config = {
    registers: register && [register],
    prefix: prefix || '',
    labels: (labels || {}) as Labels,
    names: Object.keys(labels || {}),
    gcDurationBuckets: gcDurationBuckets || [0.001, 0.01, 0.1, 1, 2, 5],
    eventLoopMonitoringPrecision: eventLoopMonitoringPrecision ?? 10,
    enableExemplars: enableExemplars || false,
  };
  for (const make of Object.values(METRICS)) make(all);
}
