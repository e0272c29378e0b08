import type { PeriodicExportingMetricReader, PushMetricExporter } from '@opentelemetry/sdk-metrics';
import { tellOfLoss } from '../base/warnings.ts';
import { deltaKindsOf, type MetricSource, type MetricSourceOptions } from '../collect/metric-source.ts';
import { SeqlockMetricProducer } from '../export/metric-producer.ts';
import { DEFAULT_SELECTION } from '../state/aggregation-choice.ts';
import type { DeltaKeeper } from './delta-keeper.ts';
import { TEMPORALITIES, type ExporterPlan, type OtlpProtocol } from './options.ts';
import { PushOutcome } from './push-outcome.ts';

/** What pushes are made of. */
export interface PushSource {
  /** Makes a source of the store's metrics for one reader. */
  readonly newSource: (options: MetricSourceOptions) => MetricSource;
  /** What was pushed as deltas, also by threads before this one. */
  readonly keeper: DeltaKeeper;
}

/** What pushes for the exporter thread. */
export interface Push {
  /** Exports now. Resolves to false when it was not delivered. */
  flush(): Promise<boolean>;
  shutdown(): Promise<void>;
}

/** An official exporter's package is not installed. */
export class MissingPackageError extends Error {
  readonly code = 'E_PACKAGE';
}

const PACKAGES: Readonly<Record<OtlpProtocol, string>> = {
  'http/protobuf': '@opentelemetry/exporter-metrics-otlp-proto',
  'http/json': '@opentelemetry/exporter-metrics-otlp-http',
};
const DEFAULT_TIMEOUT_MILLIS = 10_000;
const LONGEST_EXPORT_MILLIS = 30_000; // the official reader's default
/** Of an interval, for a push: it must have ended when the next begins, or pushes to a slow collector would pile up. */
const SHARE = 0.9;

/** Pushes with the official OTLP exporter of the protocol, which is loaded here. */
export async function pushOtlp(
  source: PushSource,
  plan: NonNullable<ExporterPlan['otlp']>,
  histogramSelection: string | undefined,
): Promise<Push> {
  const { protocol, url, headers, timeoutMillis, temporality, compression, intervalMillis } = plan;
  const { OTLPMetricExporter } = await loadExporter(protocol);
  const exporter = new OTLPMetricExporter({
    ...(url !== undefined && { url }),
    ...(headers !== undefined && { headers }),
    timeoutMillis: Math.min(timeoutMillis ?? timeoutOfEnvironment(), Math.ceil(SHARE * intervalMillis)),
    ...(compression !== undefined && { compression }),
    ...(temporality !== undefined && { temporalityPreference: TEMPORALITIES.indexOf(temporality) }),
  });
  return pushEvery(source, exporter, intervalMillis, `OTLP (${protocol})`, histogramSelection);
}

/** As the official exporter would read it, which gives no access to what it found. */
function timeoutOfEnvironment(): number {
  const { OTEL_EXPORTER_OTLP_METRICS_TIMEOUT: ofMetrics, OTEL_EXPORTER_OTLP_TIMEOUT: ofAll } = process.env;
  const millis = Number(ofMetrics ?? ofAll);
  return millis > 0 && Number.isFinite(millis) ? millis : DEFAULT_TIMEOUT_MILLIS;
}

/** Prints to standard output, by way of `console`. */
export async function pushToConsole(
  source: PushSource,
  { intervalMillis }: NonNullable<ExporterPlan['console']>,
): Promise<Push> {
  const { ConsoleMetricExporter } = await import('@opentelemetry/sdk-metrics');
  return pushEvery(source, new ConsoleMetricExporter(), intervalMillis, 'the console');
}

async function pushEvery(
  { newSource, keeper }: PushSource,
  exporter: PushMetricExporter,
  intervalMillis: number,
  where: string,
  histogramSelection: string = DEFAULT_SELECTION,
): Promise<Push> {
  const sdk = await import('@opentelemetry/sdk-metrics');
  const reader: PeriodicExportingMetricReader = new sdk.PeriodicExportingMetricReader({
    exporter,
    exportIntervalMillis: intervalMillis,
    exportTimeoutMillis: Math.min(intervalMillis, LONGEST_EXPORT_MILLIS),
  });
  const temporalityOf = reader.selectAggregationTemporality.bind(reader);
  const deltaKinds = deltaKindsOf(temporalityOf);
  const hasDeltas = deltaKinds.size > 0;
  const told = hasDeltas ? keeper.kept() : [];
  const source = newSource({
    resume: told,
    deltaKinds,
    selection: (kind) => (kind === 'HISTOGRAM' ? histogramSelection : DEFAULT_SELECTION),
  });
  if (told === undefined) {
    await source.collect(undefined);
    tellOfLoss(
      'warn',
      'seqlock-metrics: an exporter thread that died has pushed deltas, and there was no memory to keep what they were. What was recorded since its last push is left out',
    );
  }
  const outcome = new PushOutcome(exporter, where, () =>
    hasDeltas ? keeper.begin(source.deltaStates()) : () => {},
  );
  reader.setMetricProducer(new SeqlockMetricProducer(source));
  return {
    async flush() {
      await reader.forceFlush();
      return !outcome.failing;
    },
    async shutdown() {
      await reader.shutdown();
      outcome.end();
    },
  };
}

type OtlpModule = {
  OTLPMetricExporter: new (options: object) => PushMetricExporter;
};

async function loadExporter(protocol: OtlpProtocol): Promise<OtlpModule> {
  const name = PACKAGES[protocol];
  try {
    return (await import(name)) as OtlpModule;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new MissingPackageError(
      `pushing by ${protocol} needs the package ${name}, which is not installed: npm install ${name}`,
      { cause: error },
    );
  }
}
