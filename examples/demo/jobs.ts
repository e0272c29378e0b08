/** The work of the service, instrumented with the API of OpenTelemetry alone. Runs in the workers. */
import { metrics, ValueType } from '@opentelemetry/api';
import { createHash } from 'node:crypto';

export interface Job {
  readonly id: number;
  readonly algorithm: string;
  readonly bytes: number;
}

/**
 * Makes the instruments here, not at the top of the file, because the thread's provider must be registered
 * first.
 */
export function createJobs(): (job: Job) => string {
  const meter = metrics.getMeter('checksum-jobs', '1.0.0');
  const completed = meter.createCounter('jobs.completed', { unit: '{job}', description: 'Jobs done' });
  const hashed = meter.createCounter('jobs.hashed', {
    unit: 'By',
    valueType: ValueType.INT,
    description: 'Input of all jobs',
  });
  const duration = meter.createHistogram('jobs.duration', {
    unit: 's',
    description: 'Time one job took',
    advice: { explicitBucketBoundaries: [0.00001, 0.00005, 0.0001, 0.0005, 0.001, 0.005, 0.01] },
  });
  return ({ algorithm, bytes }) => {
    const started = performance.now();
    const digest = createHash(algorithm).update(Buffer.alloc(bytes, algorithm)).digest('hex');
    const attributes = { algorithm };
    completed.add(1, attributes);
    hashed.add(bytes, attributes);
    duration.record((performance.now() - started) / 1000, attributes);
    return digest;
  };
}
