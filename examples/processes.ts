/**
 * Five processes, one store. The parent reads what all of them count. One child is killed, and its counts
 * stay. The file runs in the parent and in each child. Only the directory connects their metrics.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MetricStore, SeqlockMeterProvider, SeqlockMetricReader } from 'seqlock-metrics';

const CHILDREN = 4;
const parent = process.send?.bind(process);

if (parent === undefined) {
  // On a host this is a path that all its processes know, such as /dev/shm/shop.
  const folder = mkdtempSync(join(process.platform === 'linux' ? '/dev/shm' : tmpdir(), 'example-'));
  const directory = join(folder, 'store');
  const reader = new SeqlockMetricReader();
  const provider = new SeqlockMeterProvider({ readers: [reader], store: MetricStore.open({ directory }) });

  const told = { sent: 0 }; // orders that the children say they have counted
  const children = Array.from({ length: CHILDREN }, () =>
    fork(fileURLToPath(import.meta.url), [directory]).on('message', () => told.sent++),
  );
  await Promise.all(children.map((child) => once(child, 'message')));
  while (told.sent < 4000) await new Promise((resolve) => setTimeout(resolve, 10));
  const [killed, ...others] = children as [ChildProcess, ...ChildProcess[]];
  killed.kill('SIGKILL');
  await once(killed, 'close'); // all it said is here
  for (const child of others) child.send('end');
  await Promise.all(others.map((child) => once(child, 'close')));

  const [orders] = reader.snapshot().scopeMetrics[0]!.metrics;
  for (const { attributes, value } of orders!.dataPoints)
    console.log(`${String(attributes['payment']).padEnd(5)} ${value as number}`);
  const total = orders!.dataPoints.reduce((sum, { value }) => sum + (value as number), 0);
  // A process that is killed may have counted one order without having had the time to say so.
  console.log(`${total} orders counted by ${CHILDREN} processes, one of them killed; ${told.sent} sent`);
  await provider.shutdown();
  rmSync(folder, { recursive: true });
} else {
  const store = MetricStore.open({ directory: process.argv[2]! });
  const orders = new SeqlockMeterProvider({ store }).getMeter('shop').createCounter('orders');
  const told = { toEnd: false };
  process.once('message', () => (told.toEnd = true));
  for (let order = 0; !told.toEnd; order++) {
    orders.add(1, { payment: order % 4 === 0 ? 'cash' : 'card' });
    await new Promise((resolve) => parent('counted', resolve)); // said, before the next is counted
    if (order % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  }
  process.disconnect();
}
