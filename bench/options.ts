import { parseArgs } from 'node:util';

/** What can be asked for by `--only`. */
export const BENCHMARKS = [
  'counter',
  'gauge',
  'histogram',
  'views',
  'exponential',
  'exemplars',
  'garbage',
  'memory',
  'collect',
  'order',
  'provider',
  'metric-memory',
  'contention',
  'text',
  'scrape',
  'hang',
  'service',
  'processes',
] as const;
export type Benchmark = (typeof BENCHMARKS)[number];

export interface Options {
  readonly json: boolean;
  readonly smoke: boolean;
  /** Pictures are to be written, as SVG. */
  readonly plots: boolean;
  readonly only: ReadonlySet<Benchmark>;
}

export const USAGE = `npm run bench -- [options]
  --only <name>  one benchmark (may be repeated): ${BENCHMARKS.join(', ')}
  --smoke        every benchmark, so short that its figures mean nothing
  --plots        writes the distribution of write latencies as SVG into build/plots (of --only contention)
  --json         one JSON document on stdout and nothing else
  --help         this text`;

/** Undefined when help is asked for. Throws an `Error` that says what is wrong with the arguments. */
export function parseOptions(args: readonly string[]): Options | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      json: { type: 'boolean', default: false },
      smoke: { type: 'boolean', default: false },
      plots: { type: 'boolean', default: false },
      only: { type: 'string', multiple: true, default: [] },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const asked = values.only.map((name) => {
    const benchmark = BENCHMARKS.find((known) => known === name);
    if (benchmark === undefined)
      throw new Error(`no benchmark is called ${name}; there are ${BENCHMARKS.join(', ')}`);
    return benchmark;
  });
  const { json, smoke, plots } = values;
  return { json, smoke, plots, only: new Set(asked.length > 0 ? asked : BENCHMARKS) };
}
