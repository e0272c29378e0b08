import type { Region } from '../memory/region.ts';
import type { Attention, DeliveryStatus, MetricCardinality, Status, ThreadStatus } from './page-protocol.ts';
import type { PageMonitor } from './page-monitor.ts';
import { HISTORY_MAX_BYTES } from './page-history.ts';
import type { PageThreads } from './page-threads.ts';

/** A thread that is blocked for longer needs attention, in seconds. */
const LONG_BLOCK = 1;
const VERY_LONG_BLOCK = 10;
/** A store that is used up to this share needs attention. */
const NEARLY_FULL = 0.9;
/** Values of resource attributes are cut off after so many characters. */
const TEXT_LENGTH = 300;

/** What the page's overview is made of. */
export interface StatusSources {
  readonly region: Region;
  readonly monitor: PageMonitor;
  readonly threads: PageThreads;
  readonly deliveries: () => readonly DeliveryStatus[];
  /** What is known of the attributes of a stream. */
  readonly attributesOf: (stream: number) => MetricCardinality['attributes'] | undefined;
}

/** The app at a glance, as it is now. `t`: milliseconds since the epoch. */
export function statusOf(sources: StatusSources, t: number): Status {
  const { region, monitor } = sources;
  const { live, dead } = sources.threads.look(t);
  const deliveries = sources.deliveries();
  const store = storeOf(sources, dead);
  const attributes = monitor.resource?.attributes ?? {};
  return {
    attention: [
      ...live.flatMap(attentionToThread),
      ...deliveries.flatMap(attentionToDelivery),
      ...attentionToStore(store),
      ...monitor.streams.flatMap((stream) =>
        stream.hasOverflow ? [attentionToOverflow(stream.id, stream.column.description.name, sources)] : [],
      ),
    ].sort((a, b) => Number(a.level === 'warn') - Number(b.level === 'warn')),
    app: {
      name: textOf(attributes['service.name'] ?? ''),
      version: textOf(attributes['service.version'] ?? ''),
      since: Math.floor(region.created),
      resource: Object.entries(attributes).map(([key, value]) => [key, textOf(value)]),
    },
    threads: live,
    store,
    deliveries,
    history: {
      seconds: Math.round((t - (monitor.history.start ?? t)) / 1000),
      bytes: monitor.history.bytes,
      maxBytes: HISTORY_MAX_BYTES,
      every: Math.round(monitor.every),
    },
  };
}

function storeOf({ region, monitor }: StatusSources, dead: number): Status['store'] {
  const streams = monitor.streams.filter(({ isOwn }) => !isOwn);
  return {
    used: region.usedBytes,
    max: region.maxBytes,
    metrics: streams.length,
    series: streams.reduce((sum, { series }) => sum + series, 0),
    lost: region.lostMeasurements,
    overflow: streams.filter(({ hasOverflow }) => hasOverflow).length,
    dead,
    directory: region.directory ?? null,
  };
}

function attentionToThread({ process, thread, state, blocked }: ThreadStatus): Attention[] {
  if (blocked < LONG_BLOCK) return [];
  const which = `${thread === 0 ? 'The main thread' : `Thread ${thread}`}${process === null ? '' : ` of process ${process}`}`;
  const cause =
    state === 'waiting'
      ? 'It uses no processor: it waits for a lock, for a file or in Atomics.wait. Look for synchronous calls.'
      : state === 'busy'
        ? 'It computes without a pause. Take a CPU profile: start the app with --inspect, or with --cpu-prof.'
        : 'What it does cannot be seen from here.';
  return [
    {
      level: blocked >= VERY_LONG_BLOCK ? 'bad' : 'warn',
      what: `${which} has been blocked for ${Math.floor(blocked)} s`,
      advice: `Its event loop does not turn, so it answers nobody. ${cause}`,
    },
  ];
}

function attentionToDelivery({ name, reason, failingSince, failures }: DeliveryStatus): Attention[] {
  if (reason === null) return [];
  return [
    {
      level: 'bad',
      what: `${name} fails`,
      ...(failingSince !== null && { since: failingSince }),
      advice: `${reason}. ${failures === 1 ? 'One attempt has' : `${failures} attempts have`} failed. It is tried again at each interval.`,
    },
  ];
}

function attentionToStore({ used, max, lost }: Status['store']): Attention[] {
  const all: Attention[] = [];
  if (lost > 0)
    all.push({
      level: 'bad',
      what: `${lost} measurements were lost`,
      advice: 'The store had no memory for their metrics, not even for an overflow series. Raise maxBytes.',
    });
  if (used > NEARLY_FULL * max)
    all.push({
      level: 'warn',
      what: `The store is ${Math.floor((100 * used) / max)} % full`,
      advice:
        'When it is full, new series go to the overflow series of their metric. Raise maxBytes, or drop attributes: see Cardinality.',
    });
  return all;
}

function attentionToOverflow(id: number, name: string, { attributesOf }: StatusSources): Attention {
  const [most] = attributesOf(id) ?? [];
  const values = most === undefined ? '' : `Attribute ${most.key} has ${most.values} values. `;
  return {
    level: 'warn',
    what: `${name} has overflowed`,
    advice: `${values}Series beyond its cardinality limit are counted together, in the overflow series. Drop an attribute by a view (see Cardinality), or raise the limit.`,
    stream: id,
  };
}

function textOf(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > TEXT_LENGTH ? `${text.slice(0, TEXT_LENGTH)}…` : text;
}
