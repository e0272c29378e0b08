/** Leaders that are killed, one after the other, under a real Prometheus and a receiver of deltas. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { availableParallelism, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { findMetric } from '../../examples/demo/otlp-read.ts';
import { decodeOtlp, type OtlpRequest } from '../../examples/demo/otlp-receiver.ts';
import { missing } from '../e2e/programs/programs.ts';
import { startPrometheus } from '../e2e/servers/prometheus.ts';
import { sleep } from '../processes/children.ts';
import { check, skip } from '../processes/report.ts';
import { checkTotal } from './cluster.ts';
import { end, Shop, Watcher } from './shop.ts';

const percentile = (numbers: readonly number[], share: number): number =>
  [...numbers].sort((a, b) => a - b)[Math.min(numbers.length - 1, Math.floor(share * numbers.length))] ?? NaN;

/** `prometheus.yml` of a server that scrapes one address. */
const config = (port: number, everyMillis: number): string => `
global: { scrape_interval: ${everyMillis}ms, scrape_timeout: ${everyMillis}ms }
scrape_configs:
  - job_name: shop
    static_configs: [{ targets: ['127.0.0.1:${port}'] }]
`;

/** `everyMillis`: how often Prometheus scrapes, and how long each leader lives at least. */
export async function checkStorm(processes: number, kills: number, everyMillis: number): Promise<void> {
  const shop = await Shop.open();
  const lacks = missing(['prometheus 2']);
  if (lacks !== undefined) skip(`a real Prometheus during deaths of leaders: ${lacks}`);
  const prometheus =
    lacks === undefined
      ? await startPrometheus({
          program: 'prometheus 2',
          folder: shop.folder,
          config: config(shop.port, everyMillis),
        })
      : undefined;
  const living = await Promise.all(Array.from({ length: processes }, () => shop.start()));
  await shop.untilServed();
  const watcher = new Watcher(shop, 20);
  const gaps: number[] = [];
  let most = 0;
  for (let i = 0; i < kills; i++) {
    const leader = await shop.leader(living);
    most = Math.max(most, shop.leaders().length);
    leader.kill('SIGKILL');
    gaps.push(await shop.untilServed());
    living[living.indexOf(leader)] = await shop.start();
    await sleep(2 * everyMillis);
  }
  const seen = await watcher.stop();
  for (const child of living) await end(child, 'end');
  await checkTotal(shop, kills, `${kills} leaders killed, of ${processes} processes: ${seen}; `);
  check(watcher.falls === 0 && most === 1, `at most ${most} at a time led, no total fell`);
  console.log(
    `    served again after p50 ${percentile(gaps, 0.5).toFixed(0)} ms, p99 ${percentile(gaps, 0.99).toFixed(0)} ms, at a load of ${loadavg()[0]!.toFixed(0)} on ${availableParallelism()} processors`,
  );
  if (prometheus === undefined) return;
  const [resets, samples, scrapes, good] = [
    await prometheus.value('sum(resets(hits_total[1h]))'),
    await prometheus.value('min(count_over_time(hits_total[1h]))'),
    await prometheus.value('count_over_time(up[1h])'),
    await prometheus.value('sum_over_time(up[1h])'),
  ];
  check(
    resets === 0 && samples! > 1, // a busy machine gives Prometheus few
    `Prometheus: resets() ${resets} of ${samples} samples of each series; ${scrapes! - good!} of ${scrapes} scrapes failed, one every ${everyMillis} ms, at ${kills} deaths`,
  );
  await prometheus.stop();
}

interface Interval {
  readonly start: string;
  readonly end: string;
  readonly value: number;
}

/** The deltas of one series, as they arrived. */
function intervalsOf(requests: readonly OtlpRequest[], thread: string): Interval[] {
  return requests.flatMap((request) =>
    (findMetric(request, 'hits')?.sum?.dataPoints ?? [])
      .filter(({ attributes = [] }) => attributes[0]?.value?.stringValue === thread)
      .map((point) => ({
        start: String(point.startTimeUnixNano),
        end: String(point.timeUnixNano),
        value: Number(point.asInt ?? point.asDouble),
      })),
  );
}

/** How a sum of deltas comes out: of each interval that was pushed several times, the last push counts. */
export function summed(intervals: readonly Interval[]): {
  readonly total: number;
  readonly exact: number;
  readonly repeated: number;
} {
  const last = new Map(intervals.map((interval) => [interval.start, interval.value]));
  const sum = (values: Iterable<number>): number => [...values].reduce((all, one) => all + one, 0);
  return {
    total: sum(intervals.map(({ value }) => value)),
    exact: sum(last.values()),
    repeated: intervals.length - last.size,
  };
}

/** A receiver of pushes that may keep one waiting for its answer, for ever. */
class Receiver {
  readonly requests: OtlpRequest[] = [];
  /** Called with the next push that arrives. It gets no answer. */
  onNext: (() => void) | undefined;
  readonly #server = createServer((request, response) => {
    void decodeOtlp(request).then((decoded) => {
      this.requests.push(decoded);
      const { onNext } = this;
      this.onNext = undefined;
      if (onNext === undefined) response.writeHead(200).end();
      else onNext();
    });
  });

  async open(): Promise<string> {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

/**
 * Every other leader is killed while a push of it has arrived and is not answered: the next leader must push that interval again.
 * `isBroken`: with a lease that everybody gets. Then the deltas must not come out right.
 */
export async function checkDeltas(processes: number, kills: number, isBroken = false): Promise<void> {
  const shop = await Shop.open();
  const receiver = new Receiver();
  const { requests } = receiver;
  const env = {
    OTEL_METRICS_EXPORTER: 'otlp',
    OTEL_EXPORTER_OTLP_ENDPOINT: await receiver.open(),
    OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: 'delta',
    // Pushes may take nearly as long, and none is lost on a busy machine.
    OTEL_METRIC_EXPORT_INTERVAL: '1000',
  };
  const first = isBroken ? [new URL('./broken-lease.js', import.meta.url).href] : [];
  const start = (): Promise<ChildProcess> => shop.start({ env, first });
  const living = await Promise.all(Array.from({ length: processes }, start));
  let underWay = 0;
  for (let i = 0; i < kills; i++) {
    const before = requests.length;
    while (requests.length < before + 2) await sleep(5);
    if (i % 2 === 0) await new Promise<void>((resolve) => (receiver.onNext = resolve));
    else await sleep(37 * (i % 20));
    if (i % 2 === 0) underWay++;
    const leader = isBroken ? living[0]! : await shop.leader(living);
    await end(leader);
    living.splice(living.indexOf(leader), 1, await start());
  }
  await shop.quiet();
  await Promise.all(living.map((child) => end(child, 'end')));
  const reader = await shop.start({
    program: fileURLToPath(new URL('../support/leader-app.js', import.meta.url)),
  });
  await shop.untilServed();
  const counted = await shop.scrape();
  await end(reader);
  receiver.close();
  const parts = ['main', 'worker'].map((thread) => summed(intervalsOf(requests, thread)));
  const exact = parts.reduce((sum, part) => sum + part.exact, 0);
  const total = parts.reduce((sum, part) => sum + part.total, 0);
  const repeated = Math.max(...parts.map((part) => part.repeated));
  const text = `deltas of ${processes} processes, ${kills} leaders killed, ${underWay} during a push, ${requests.length} pushes: ${exact} of ${counted} and ${total - exact} again, in ${repeated} pushes that were repeated`;
  if (isBroken) check(exact > counted!, `with a lease that everybody gets, which must be seen: ${text}`);
  else check(exact === counted && repeated >= underWay && repeated <= kills, text);
}
