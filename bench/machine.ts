/** Where figures were measured, and with what. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus, loadavg, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { VERSION } from '../src/base/version.ts';
import { MEMORY_ORDER } from '../src/memory/memory-order.ts';

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly platform: string;
  readonly node: string;
  readonly v8: string;
  readonly memoryOrder: string;
  readonly packages: Readonly<Record<string, string>>;
  readonly command: string;
  /** Load of the last minute at the start: what other work the machine had. */
  readonly loadAverage: number;
  readonly startedAt: string;
}

export function describeMachine(args: readonly string[]): Machine {
  const processors = cpus();
  return {
    cpu: processors[0]?.model.trim() ?? 'unknown',
    cores: processors.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    platform: `${process.platform} ${process.arch}`,
    node: process.versions.node,
    v8: process.versions.v8,
    memoryOrder: MEMORY_ORDER,
    packages: {
      'seqlock-metrics': VERSION,
      ...Object.fromEntries(
        ['@opentelemetry/api', '@opentelemetry/sdk-metrics', 'prom-client', '@prometheus-io/client'].map(
          (name) => [name, versionOf(name)],
        ),
      ),
    },
    command: ['npm run bench', ...(args.length > 0 ? ['--', ...args] : [])].join(' '),
    loadAverage: Math.round(loadavg()[0]! * 100) / 100,
    startedAt: new Date().toISOString(),
  };
}

/** Not every package exports its package.json, so it is looked for above the entry file. */
function versionOf(name: string): string {
  const entry = createRequire(import.meta.url).resolve(name);
  for (let folder = dirname(entry); folder !== dirname(folder); folder = dirname(folder)) {
    try {
      const found = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
        name?: string;
        version?: string;
      };
      if (found.name === name && found.version !== undefined) return found.version;
    } catch {
      // none in this folder
    }
  }
  return 'unknown';
}
