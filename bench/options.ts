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
  'otlp',
  'start',
] as const;
export type Benchmark = (typeof BENCHMARKS)[number];

/** Release lines of Node.js that are supported. */
const LINES = [20, 22, 24, 26];
const SDKS = [2, 3];

export interface Options {
  readonly json: boolean;
  readonly smoke: boolean;
  /** Pictures are to be written, as SVG. */
  readonly plots: boolean;
  readonly only: ReadonlySet<Benchmark>;
  /** Release lines of Node.js to measure on, one after the other; empty: the one that runs. */
  readonly nodes: readonly number[];
  /** Major version of the official SDK to compare with; undefined: the one the project is developed with. */
  readonly sdk: number | undefined;
}

export const USAGE = `npm run bench -- [options]
  --only <name>  one benchmark (may be repeated): ${BENCHMARKS.join(', ')}
  --node <line>  on a Node.js of that release line, from npm (may be repeated): ${LINES.join(', ')}
  --sdk 3        against the official SDK 3.x, from npm, and its exporters
  --smoke        every benchmark, so short that its figures mean nothing
  --plots        writes the distribution of write latencies as SVG into build/plots (of --only contention)
  --json         one JSON document on stdout and nothing else
  --help         this text`;

const OPTIONS = {
  json: { type: 'boolean', default: false },
  smoke: { type: 'boolean', default: false },
  plots: { type: 'boolean', default: false },
  only: { type: 'string', multiple: true },
  node: { type: 'string', multiple: true },
  sdk: { type: 'string' },
  help: { type: 'boolean', default: false },
} as const;

/** Undefined when help is asked for. Throws an `Error` that says what is wrong with the arguments. */
export function parseOptions(args: readonly string[]): Options | undefined {
  const { values } = parseArgs({ args: [...args], options: OPTIONS });
  if (values.help) return undefined;
  const asked = (values.only ?? []).map((name) => {
    const benchmark = BENCHMARKS.find((known) => known === name);
    if (benchmark === undefined)
      throw new Error(`no benchmark is called ${name}; there are ${BENCHMARKS.join(', ')}`);
    return benchmark;
  });
  const { json, smoke, plots } = values;
  const nodes = (values.node ?? []).map((line) => oneOf(line, LINES, 'line of Node.js'));
  const sdk = values.sdk === undefined ? undefined : oneOf(values.sdk, SDKS, 'line of the official SDK');
  return { json, smoke, plots, nodes, sdk, only: new Set(asked.length > 0 ? asked : BENCHMARKS) };
}

/** What asks for the same, of the Node.js and the packages that are there. */
export function argsHere({ json, smoke, plots, only }: Options): string[] {
  const flags = { json, smoke, plots };
  return [
    ...Object.entries(flags).flatMap(([name, isAsked]) => (isAsked ? [`--${name}`] : [])),
    ...[...only].flatMap((name) => ['--only', name]),
  ];
}

function oneOf(asked: string, known: readonly number[], what: string): number {
  const found = known.find((one) => String(one) === asked);
  if (found === undefined)
    throw new Error(`there is no ${what} ${asked} to measure with; there are ${known.join(', ')}`);
  return found;
}
