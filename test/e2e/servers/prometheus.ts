import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../../examples/demo/free-port.ts';
import { pathOf } from '../programs/programs.ts';
import { serve, untilReady, type Server } from './processes.ts';

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Prometheus extends Server {
  readonly url: string;
  /** Every sample of an instant vector. Throws what the server says of a query it refuses. */
  query(expression: string): Promise<Sample[]>;
  /** The one value of a query that has one; undefined when it has none. */
  value(expression: string): Promise<number | undefined>;
  targets(): Promise<Target[]>;
}

export interface Target {
  readonly labels: Readonly<Record<string, string>>;
  readonly health: string;
  readonly lastError: string;
}

export interface PrometheusOptions {
  readonly program: 'prometheus' | 'prometheus 2';
  readonly folder: string;
  /** YAML: the whole configuration file. */
  readonly config: string;
  readonly flags?: readonly string[];
  /** Default: a free one. */
  readonly port?: number;
}

interface Answer {
  readonly status: string;
  readonly error?: string;
  readonly data: {
    readonly result: readonly { metric: Record<string, string>; value: [number, string] }[];
    readonly activeTargets: Target[];
  };
}

export async function startPrometheus(options: PrometheusOptions): Promise<Prometheus> {
  const { program, folder, flags = [], port = await freePort() } = options;
  const config = join(folder, `prometheus-${port}.yml`);
  writeFileSync(config, options.config);
  const url = `http://127.0.0.1:${port}`;
  const server = serve(pathOf(program), [
    `--config.file=${config}`,
    `--storage.tsdb.path=${join(folder, `prometheus-${port}`)}`,
    `--web.listen-address=127.0.0.1:${port}`,
    ...flags,
  ]);
  await untilReady(server, program, async () => (await fetch(`${url}/-/ready`)).ok);

  const api = async (path: string): Promise<Answer['data']> => {
    const answer = (await (await fetch(`${url}/api/v1/${path}`)).json()) as Answer;
    if (answer.status !== 'success') throw new Error(`${path}: ${answer.error}`);
    return answer.data;
  };
  const query = async (expression: string): Promise<Sample[]> => {
    const { result } = await api(`query?query=${encodeURIComponent(expression)}`);
    return result.map(({ metric: { __name__: name = '', ...labels }, value: [, text] }) => ({
      name,
      labels,
      value: text === '+Inf' ? Infinity : text === '-Inf' ? -Infinity : Number(text),
    }));
  };
  return {
    ...server,
    url,
    query,
    value: async (expression) => (await query(expression))[0]?.value,
    targets: async () => (await api('targets?state=active')).activeTargets,
  };
}
