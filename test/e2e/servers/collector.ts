import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../../examples/demo/free-port.ts';
import type { OtlpRequest } from '../../../examples/demo/otlp-receiver.ts';
import { pathOf } from '../programs/programs.ts';
import { serve, untilReady, type Server } from './processes.ts';

export interface Collector extends Server {
  readonly port: number;
  /** Where metrics are sent over OTLP/HTTP. */
  readonly url: string;
}

/** `configs` are files, merged in their order, that have `${env:NAME}` for what `env` says. */
export async function startCollector(
  configs: readonly string[],
  port: number,
  env: Readonly<Record<string, string>> = {},
): Promise<Collector> {
  const server = serve(
    pathOf('collector'),
    configs.map((config) => `--config=${config}`),
    env,
  );
  await untilReady(server, 'the Collector', () =>
    Promise.resolve(server.log().includes('Everything is ready')),
  );
  return { ...server, port, url: `http://127.0.0.1:${port}/v1/metrics` };
}

/** A Collector that writes what it is sent into a file. */
export interface FileCollector extends Collector {
  /** All it was sent so far, one export each, in order. */
  received(): OtlpRequest[];
}

export interface FileCollectorOptions {
  readonly folder: string;
  /** Default: a free one. */
  readonly port?: number;
  /** More lines of the OTLP/HTTP receiver's configuration, and extensions with their configuration, as YAML in one line each. */
  readonly receiver?: Readonly<Record<string, string>>;
  readonly extensions?: Readonly<Record<string, string>>;
}

let started = 0;

export async function startFileCollector(options: FileCollectorOptions): Promise<FileCollector> {
  const { folder, receiver = {}, extensions = {}, port = await freePort() } = options;
  const file = join(folder, `received-${port}-${++started}.jsonl`); // one that was killed may have left half a line
  const config = join(folder, `collector-${port}.yaml`);
  writeFileSync(
    config,
    `
extensions: { ${Object.entries(extensions)
      .map(([name, value]) => `${name}: ${value}`)
      .join(', ')} }
receivers:
  otlp:
    protocols:
      http:
        endpoint: 127.0.0.1:${port}
${Object.entries(receiver)
  .map(([name, value]) => `        ${name}: ${value}`)
  .join('\n')}
exporters:
  file:
    path: ${file}
    flush_interval: 100ms
service:
  extensions: [${Object.keys(extensions).join(', ')}]
  telemetry: { metrics: { level: none } }
  pipelines:
    metrics: { receivers: [otlp], exporters: [file] }
`,
  );
  const collector = await startCollector([config], port);
  return {
    ...collector,
    received: () => {
      const lines = readFileSync(file, 'utf8').split('\n');
      lines.pop(); // what is behind the last newline is not whole yet
      return lines.map((line) => JSON.parse(line) as OtlpRequest);
    },
  };
}
