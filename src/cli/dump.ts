import { once } from 'node:events';
import { nearest } from '../base/options.ts';
import type { MetricColumns, MetricColumn } from '../collect/rows/column.ts';
import { MetricSource } from '../collect/metric-source.ts';
import { DataPoints } from '../export/data-points.ts';
import { metricsDocument } from '../export/json.ts';
import { PrometheusText } from '../export/prometheus-text.ts';
import { Region } from '../memory/region.ts';
import { choice, EXIT, type Command } from './command.ts';

const FORMATS = ['prometheus', 'openmetrics', 'json'] as const;

export const dump: Command = {
  name: 'dump',
  summary: 'prints all metrics, or one, as they are now',
  synopsis: '[--format prometheus|openmetrics|json] [--metric <name>] <directory>',
  description:
    'Prints the metrics of a store to standard output. The text is that of a scrape. Observable callbacks do not run: their metrics have the values of their latest round. A series that its writer did not let be copied whole is left out, and standard error says so.',
  options: {
    format: {
      type: 'string',
      short: 'f',
      value: 'format',
      help: 'prometheus (text 0.0.4, the default), openmetrics (1.0.0), or json (docs/exposition.md).',
    },
    metric: {
      type: 'string',
      short: 'm',
      value: 'name',
      help: 'Prints this metric alone. Its name, as the app has it or as Prometheus shows it.',
    },
  },
  exits: '0 printed; 1 there is no such metric; 2 a wrong command line; 3 no store that can be read',
  examples: ['dump /dev/shm/shop', 'dump --format json --metric http.server.request.duration /dev/shm/shop'],
  async run(directory, values) {
    const format = choice(values, 'format', FORMATS);
    const source = new MetricSource({ region: Region.copyOf(directory) });
    const metric = values['metric'] as string | undefined;
    const found = metric === undefined ? undefined : namesOf(source.columns(), metric);
    const isWanted = ({ description: { name } }: MetricColumn): boolean => found?.has(name) !== false;
    if (format === 'json') {
      const points = new DataPoints();
      const document = source.read({
        add: (column, endMillis) => isWanted(column) && points.add(column, endMillis),
        end: (resource) => metricsDocument(points.end(resource)),
      });
      await print([Buffer.from(`${JSON.stringify(document, undefined, 2)}\n`)]);
    } else {
      const { resource, columns } = source.columns();
      const text = new PrometheusText(
        { openMetrics: format === 'openmetrics', escaping: 'underscores' },
        { targetInfoEnabled: metric === undefined },
      );
      text.update({ resource, columns: columns.filter(isWanted) });
      await print(text.body().pieces);
    }
    tellOfStale(source);
    return EXIT.ok;
  },
};

/** Says what a copy of a store does not show as of now. */
export function tellOfStale(source: MetricSource): void {
  const { staleReads } = source.readStats();
  if (staleReads === 0) return;
  process.stderr.write(
    `seqlock-metrics: ${staleReads} cells were written too fast to be copied whole. Their series have the values of the read before, or are left out. Try again\n`,
  );
}

/** The names of the metrics that are meant. Throws an error where there are none. */
function namesOf({ columns }: MetricColumns, metric: string): ReadonlySet<string> {
  const names = columns.map(({ description: { name } }) => name);
  if (names.includes(metric)) return new Set([metric]);
  const wanted = underscored(metric);
  // Prometheus adds unit and suffix to a name.
  const longest = names
    .filter((name) => `${wanted}_`.startsWith(`${underscored(name)}_`))
    .sort((a, b) => b.length - a.length)[0];
  if (longest !== undefined) return new Set([longest]);
  const near = nearest(metric, names);
  throw new Error(`there is no metric ${metric}${near === undefined ? '' : `; did you mean ${near}?`}`);
}

function underscored(name: string): string {
  return name.replaceAll(/[^a-zA-Z0-9]+/g, '_');
}

/** Resolves when all was taken. */
async function print(pieces: readonly Buffer[]): Promise<void> {
  for (const piece of pieces) if (!process.stdout.write(piece)) await once(process.stdout, 'drain');
}
