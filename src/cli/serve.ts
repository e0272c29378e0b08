import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { clearInterval, setInterval } from '../base/platform.ts';
import { DeltaKeeper, keeperMemory, type KeeperMemory } from '../exporter/delta-keeper.ts';
import { startExporter, type Exporter } from '../exporter/exporter.ts';
import { planOf, summaryOf, type ExporterOptions, type ExporterPlan } from '../exporter/options.ts';
import { LEADER_FILE_INT64 } from '../memory/layout.ts';
import { Region } from '../memory/region.ts';
import type { SeenOwnership } from '../memory/seen-locks.ts';
import { PUSHED_FILE } from '../memory/store-directory.ts';
import { EXIT, number, UsageError, type Command, type Values } from './command.ts';

/** How often it is looked whether the store was replaced by a new one. */
const LOOK_MILLIS = 1000;
const LONGEST_INTERVAL = 86_400_000;

export const serve: Command = {
  name: 'serve',
  summary: 'serves and pushes the metrics, beside the app or after its death',
  synopsis: '[--port <port>] [--otlp <url>] [options] <directory>',
  description:
    'Serves the metrics of a store to Prometheus, or pushes them by OTLP, or both, until it gets SIGTERM or SIGINT. Before it ends it pushes once more. Observable callbacks do not run: their metrics have the values of their latest round. If the app makes a new store in the directory, that one is served from then on. Let either the app push or this command, not both.',
  options: {
    port: {
      type: 'string',
      short: 'p',
      value: 'port',
      help: 'Port for Prometheus. Default OTEL_EXPORTER_PROMETHEUS_PORT, else 9464; 0 for any free one.',
    },
    host: {
      type: 'string',
      value: 'host',
      help: 'Address to listen on; 0.0.0.0 for all. Default localhost.',
    },
    endpoint: { type: 'string', value: 'path', help: 'Path of the metrics. Default /metrics.' },
    otlp: {
      type: 'string',
      value: 'url',
      help: 'Pushes by OTLP to this whole URL, such as http://localhost:4318/v1/metrics.',
    },
    interval: { type: 'string', value: 'ms', help: 'Milliseconds from one push to the next. Default 60000.' },
    'no-prometheus': { type: 'boolean', help: 'Listens nowhere: pushes only.' },
    'no-page': { type: 'boolean', help: 'Serves no live page at /.' },
    'self-metrics': { type: 'boolean', help: 'Exports the seqlock.* metrics, too.' },
    options: {
      type: 'string',
      short: 'o',
      value: 'file',
      help: 'A JSON file with the options that startExporterThread has: prometheus, otlp, page and so on. The options above go before it.',
    },
  },
  exits:
    '0 ended by a signal, and all was pushed; 1 it cannot listen, or the last push failed; 2 a wrong command line; 3 no store that can be read',
  examples: [
    'serve --host 0.0.0.0 /dev/shm/shop',
    'serve --no-prometheus --otlp http://collector:4318/v1/metrics /dev/shm/shop',
  ],
  async run(directory, values) {
    const plan = planOf(optionsOf(values), 'options of serve');
    let region = Region.copyOf(directory);
    if (plan.otlp !== undefined && isLed(region))
      process.stderr.write(
        'seqlock-metrics: a process of the app serves or pushes this store, too. If it pushes by OTLP, metrics are exported twice\n',
      );
    let exporter = await start(region, plan);
    let isRenewing = false;
    const renew = async (): Promise<void> => {
      if (isRenewing || region.copy?.isReplaced() !== true) return;
      isRenewing = true;
      try {
        const next = Region.copyOf(directory); // throws as long as there is none
        await exporter.flush();
        await exporter.stop();
        region.copy.close();
        region = next;
        exporter = await start(region, plan);
      } catch {
        // What was copied last goes on being served.
      } finally {
        isRenewing = false;
      }
    };
    const timer = setInterval(() => void renew(), LOOK_MILLIS);
    await new Promise<void>((resolve) => {
      process.once('SIGTERM', resolve);
      process.once('SIGINT', resolve);
    });
    clearInterval(timer);
    const isDelivered = await exporter.flush(true);
    if (!isDelivered) process.stderr.write(`seqlock-metrics: the last push failed: ${exporter.reason}\n`);
    await exporter.stop();
    return isDelivered ? EXIT.ok : EXIT.wrong;
  },
};

async function start(region: Region, plan: ExporterPlan): Promise<Exporter> {
  return startExporter(
    region,
    plan,
    { keeper: keeperOf(region) },
    {
      onListening: (address) =>
        process.stderr.write(`${summaryOf(plan, address).replace('the exporter thread ', '')}\n`),
    },
  );
}

/** Deltas go on from what the app has pushed. The file of the store is read and never written. */
function keeperOf(region: Region): KeeperMemory {
  const memory = keeperMemory(region.maxBytes);
  const path = join(region.directory!, PUSHED_FILE);
  const pushed = new DeltaKeeper({ path, newPath: path, storeId: region.storeId! }).kept();
  if (pushed !== undefined && pushed.length > 0) new DeltaKeeper(memory).begin(pushed)();
  return memory;
}

/** Whether the lock of who serves and pushes is seen to be held. */
function isLed(region: Region): boolean {
  const file = new BigInt64Array(region.buffer, 0, LEADER_FILE_INT64 + 1)[LEADER_FILE_INT64]!;
  return (region.ownership as SeenOwnership).isLocked(file);
}

function optionsOf(values: Values): ExporterOptions {
  const base = values['options'] === undefined ? {} : fileOptions(values['options'] as string);
  const port = number(values, 'port', 0, 65_535);
  const interval = number(values, 'interval', 1, LONGEST_INTERVAL);
  const text = (name: string): string | undefined => values[name] as string | undefined;
  const { prometheus, otlp, ...others } = base;
  const isListening = values['no-prometheus'] !== true;
  return {
    ...others,
    ...(isListening && {
      prometheus: {
        ...prometheus,
        ...(port !== undefined && { port }),
        ...(text('host') !== undefined && { host: text('host')! }),
        ...(text('endpoint') !== undefined && { endpoint: text('endpoint')! }),
      },
    }),
    ...((otlp !== undefined || text('otlp') !== undefined) && {
      otlp: {
        ...otlp,
        ...(text('otlp') !== undefined && { url: text('otlp')! }),
        ...(interval !== undefined && { intervalMillis: interval }),
      },
    }),
    ...(values['no-page'] === true && { page: false }),
    ...(values['self-metrics'] === true && { selfMetrics: true }),
  };
}

function fileOptions(path: string): ExporterOptions {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as ExporterOptions;
  } catch (error) {
    throw new UsageError(`the file of --options, ${path}, cannot be used: ${(error as Error).message}`);
  }
}
