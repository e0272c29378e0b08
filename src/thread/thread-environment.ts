import type { ExporterPlan } from './options.ts';

/** By option of `otlp`, the end of the names of the variables that the official exporter reads in its place. */
const READ_BY_EXPORTER = {
  url: 'ENDPOINT',
  headers: 'HEADERS',
  timeoutMillis: 'TIMEOUT',
  compression: 'COMPRESSION',
} as const;

/**
 * The environment variables of an exporter thread: the app's without `NODE_OPTIONS`, since what the app is preloaded with is not for this thread,
 * and without those that an option stands over: the official exporter reads them all the same, and warns of wrong ones.
 */
export function environmentOfThread({ otlp }: ExporterPlan): NodeJS.ProcessEnv {
  const environment = { ...process.env };
  delete environment['NODE_OPTIONS'];
  for (const [option, suffix] of Object.entries(READ_BY_EXPORTER)) {
    if (otlp?.[option as keyof typeof READ_BY_EXPORTER] === undefined) continue;
    delete environment[`OTEL_EXPORTER_OTLP_${suffix}`];
    delete environment[`OTEL_EXPORTER_OTLP_METRICS_${suffix}`];
  }
  return environment;
}
