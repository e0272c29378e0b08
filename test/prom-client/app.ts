/** An app that was made for prom-client, as a thread or a process of several. */
import { parentPort } from 'node:worker_threads';
import client from '../../src/prom-client/prom-client.ts';

export const counter = new client.Counter({ name: 'jobs_total', help: 'Jobs', labelNames: ['kind'] });
const histogram = new client.Histogram({ name: 'sizes', help: 'Sizes', buckets: [1, 10] });
const summary = new client.Summary({ name: 'waits', help: 'Waits', percentiles: [0.5] });
const gauges = (['sum', 'min', 'max', 'average'] as const).map(
  (aggregator) => new client.Gauge({ name: `level_${aggregator}`, help: 'Level', aggregator }),
);
new client.Gauge({
  name: 'collected',
  help: 'Collected',
  collect() {
    this.inc();
  },
});

/** Records so much that the totals of `times` such calls are known. */
export function work(level: number): void {
  for (let i = 0; i < 1000; i++) counter.inc({ kind: i % 2 === 0 ? 'even' : 'odd' });
  for (const value of [0.5, 5, 50]) histogram.observe(value);
  for (let i = 1; i <= 100; i++) summary.observe(i);
  for (const gauge of gauges) gauge.set(level);
}

export function linesOf(text: string): string[] {
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

const level = process.env['PROM_CLIENT_LEVEL'];
if (parentPort !== null) {
  work(4);
  parentPort.on('message', () => {}); // stays until it is terminated
  parentPort.postMessage('done');
} else if (level !== undefined) {
  work(Number(level));
  process.send!('done');
  setInterval(() => {}, 1000);
}
