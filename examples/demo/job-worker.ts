/** Entry of a worker: registers the thread's metrics, then answers every job with its result. */
import { parentPort } from 'node:worker_threads';
import { createJobs, type Job } from './jobs.ts';
import { registerMetrics } from './telemetry.ts';

registerMetrics();
const run = createJobs();
parentPort!.on('message', (job: Job) => {
  parentPort!.postMessage({ id: job.id, digest: run(job) });
});
