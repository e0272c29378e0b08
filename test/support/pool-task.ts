/** A task of a worker pool. The pool's worker knows nothing of metrics; the module joins the store when it is loaded. */
import { metrics } from '@opentelemetry/api';
import { isMainThread, threadId } from 'node:worker_threads';
import { SeqlockMeterProvider } from '../../src/index.ts';

metrics.setGlobalMeterProvider(new SeqlockMeterProvider());
const tasks = metrics.getMeter('pool').createCounter('tasks');

/** Counts; replies with the thread it ran in. */
export default function task(times: number): number {
  if (isMainThread) throw new Error('a pool runs tasks in workers');
  for (let i = 0; i < times; i++) tasks.add(1, { odd: i % 2 });
  return threadId;
}
