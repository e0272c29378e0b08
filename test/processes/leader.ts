/** Wants the lease of a store, again and again, and says when it has it. */
import { MetricStore } from '../../src/index.ts';
import type { LeaderJob } from './jobs.ts';

const { directory } = JSON.parse(process.argv.at(-1)!) as LeaderJob;
const { lease } = MetricStore.open({ directory }).region;
setInterval(() => {
  if (lease.take()) process.send!('leads');
}, 20);
process.send!('wants');
