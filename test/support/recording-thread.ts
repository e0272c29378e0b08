/** A worker thread that records what it is told to. See `threads.ts`. */
import type { Attributes } from '@opentelemetry/api';
import { parentPort, workerData } from 'node:worker_threads';
import { SeqlockMeterProvider } from '../../src/facade/meter-provider.ts';
import { MetricStore } from '../../src/state/store.ts';
import { bind } from '../../src/sdk/bind.ts';
import { collectWarnings } from './warnings.ts';
import { Thread } from './threads.ts';

export type Kind = 'counter' | 'upDown' | 'gauge' | 'histogram';

/** Records `values` in turn, `times` times over. */
export interface Recording {
  readonly kind: Kind;
  readonly name: string;
  readonly attributes?: Attributes;
  readonly values: readonly number[];
  readonly times: number;
  readonly description?: string;
}

/** What a thread is created with. */
export interface ThreadData {
  /** Which store the thread's provider is to use; the default is what a user gets who says nothing. */
  readonly store?: 'open with options';
  readonly resource?: Attributes;
}

export type Job =
  | { readonly do: 'record'; readonly recordings: readonly Recording[] }
  /** Records until `stop[0]` is 1; counts in `progress` after each measurement. Replies with the number of measurements. */
  | {
      readonly do: 'record until told';
      readonly recording: Recording;
      readonly stop: Int32Array;
      readonly progress: Int32Array;
    }
  | { readonly do: 'about' }
  | { readonly do: 'attach a reader' }
  | { readonly do: 'open another store' }
  | { readonly do: 'throw' }
  | { readonly do: 'exit' }
  /** Has a thread of this thread do the job, then ends it. */
  | { readonly do: 'nested'; readonly job: Job };

export interface About {
  readonly usedBytes: number;
  readonly warnings: readonly string[];
}

const { warnings } = collectWarnings();
const { store, resource } = (workerData ?? {}) as ThreadData;
const provider = new SeqlockMeterProvider({
  ...(store !== undefined && { store: MetricStore.open({ maxBytes: 1_048_576 }) }),
  ...(resource !== undefined && { resource: { attributes: resource } }),
});

function recorder({ kind, name, attributes, description = '' }: Recording): (value: number) => void {
  const meter = provider.getMeter('threads');
  if (kind === 'gauge' || kind === 'histogram') {
    const instrument =
      kind === 'gauge'
        ? meter.createGauge(name, { description })
        : meter.createHistogram(name, { description });
    return (value) => instrument.record(value, attributes);
  }
  const instrument =
    kind === 'counter'
      ? meter.createCounter(name, { description })
      : meter.createUpDownCounter(name, { description });
  return (value) => instrument.add(value, attributes);
}

async function perform(job: Job): Promise<unknown> {
  switch (job.do) {
    case 'record':
      for (const recording of job.recordings) {
        const record = recorder(recording);
        for (let i = 0; i < recording.times; i++) for (const value of recording.values) record(value);
      }
      return undefined;
    case 'record until told': {
      const { recording, stop, progress } = job;
      const record = recorder(recording);
      let count = 0;
      while (Atomics.load(stop, 0) === 0)
        for (const value of recording.values) {
          record(value);
          Atomics.store(progress, 0, ++count);
        }
      return count;
    }
    case 'about':
      return { usedBytes: provider.store.usedBytes, warnings } satisfies About;
    case 'attach a reader':
      new SeqlockMeterProvider({ readers: [{ setMetricProducer: () => {} } as never] });
      return undefined;
    case 'open another store': {
      const other = MetricStore.open({ maxBytes: 1_048_576 });
      const another = new SeqlockMeterProvider({ store: other });
      bind(another.getMeter('threads').createCounter('c')).add(1000);
      return undefined;
    }
    case 'throw':
      setImmediate(() => {
        throw new Error('on purpose');
      });
      return new Promise(() => {});
    case 'exit':
      process.exit(3);
    case 'nested': {
      const thread = new Thread();
      const reply = await thread.ask(job.job);
      await thread.terminate();
      return reply;
    }
  }
}

parentPort!.on('message', ({ id, job }: { id: number; job: Job }) => {
  void perform(job).then(
    (reply) => parentPort!.postMessage({ id, reply }),
    (error: unknown) => parentPort!.postMessage({ id, error: String(error) }),
  );
});
