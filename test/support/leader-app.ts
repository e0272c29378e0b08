/**
 * An app that does nothing for its metrics, and what a test wants it to do. To be started with `--import seqlock-metrics/register`
 * and an IPC channel.
 */
import { metrics } from '@opentelemetry/api';
import { readdirSync, readlinkSync } from 'node:fs';
import { MetricStore, type SeqlockMeterProvider } from '../../src/index.ts';
import type { Started } from '../cluster/observe-start.ts';

export type LeaderAppJob =
  | { readonly do: 'count'; readonly times: number }
  | { readonly do: 'flush' }
  /** For what it costs to follow. */
  | { readonly do: 'resources' }
  | { readonly do: 'leave'; readonly how: 'natural' | 'exit' };

export interface Resources {
  readonly threads: number;
  readonly sockets: number;
  /** If `test/cluster/observe-start.ts` was loaded first, else NaN. */
  readonly timers: number;
  /** Descriptors of files in the store directory that are open beside those that the store itself needs. */
  readonly files: readonly string[];
  readonly residentBytes: number;
  readonly cpuMicros: number;
}

const counter = metrics.getMeter('app').createCounter('hits');
const say = process.send!.bind(process);

function links(): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)];
    } catch {
      return []; // the one by which the list was read
    }
  });
}

function resources(): Resources {
  const directory = MetricStore.published()!.directory!;
  const found = links();
  const { user, system } = process.cpuUsage();
  return {
    threads: readdirSync('/proc/self/task').length,
    timers: (globalThis as { started?: Started }).started?.timers() ?? NaN,
    sockets: found.filter((link) => link.startsWith('socket:')).length,
    files: found
      .filter((link) => link.startsWith(`${directory}/`))
      .map((link) => link.slice(directory.length + 1))
      .sort(),
    residentBytes: process.memoryUsage.rss(),
    cpuMicros: user + system,
  };
}

process.on('message', (job: LeaderAppJob) => {
  switch (job.do) {
    case 'count':
      for (let i = 0; i < job.times; i++) counter.add(1);
      say('counted');
      break;
    case 'flush':
      void (metrics.getMeterProvider() as SeqlockMeterProvider).forceFlush().then(() => say('flushed'));
      break;
    case 'resources':
      say(resources());
      break;
    case 'leave':
      if (job.how === 'exit') process.exit();
      process.disconnect();
  }
});
say('ready');
