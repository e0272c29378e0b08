import { readFileSync } from 'node:fs';
import { shortText } from '../base/errors.ts';
import { Warnings } from '../base/warnings.ts';
import type { ExporterPlan } from '../exporter/options.ts';

/** By option of `otlp`, the end of the names of the variables that the official exporter reads in its place. */
const READ_BY_EXPORTER = {
  url: 'ENDPOINT',
  headers: 'HEADERS',
  timeoutMillis: 'TIMEOUT',
  compression: 'COMPRESSION',
} as const;

/** By the end of the names of variables that name a file, what holds without it. */
const FILES = {
  CERTIFICATE: "the system's certificates are trusted",
  CLIENT_CERTIFICATE: 'no client certificate is shown',
  CLIENT_KEY: 'no client certificate is shown',
} as const;

const warnings = new Warnings();

/**
 * The environment variables of an exporter thread: the app's without `NODE_OPTIONS`, since what the app is preloaded with is not for this thread,
 * and without those that an option stands over: the official exporter reads them all the same, and warns of wrong ones. Also without those that
 * name files which cannot be read: of those it would not tell which.
 */
export function environmentOfThread({ otlp }: ExporterPlan): NodeJS.ProcessEnv {
  const environment = { ...process.env };
  delete environment['NODE_OPTIONS'];
  for (const [option, suffix] of Object.entries(READ_BY_EXPORTER)) {
    if (otlp?.[option as keyof typeof READ_BY_EXPORTER] === undefined) continue;
    delete environment[`OTEL_EXPORTER_OTLP_${suffix}`];
    delete environment[`OTEL_EXPORTER_OTLP_METRICS_${suffix}`];
  }
  if (otlp !== undefined) leaveOutUnreadable(environment);
  return environment;
}

function leaveOutUnreadable(environment: NodeJS.ProcessEnv): void {
  for (const [suffix, otherwise] of Object.entries(FILES))
    for (const name of [`OTEL_EXPORTER_OTLP_METRICS_${suffix}`, `OTEL_EXPORTER_OTLP_${suffix}`]) {
      const path = environment[name]?.trim() ?? '';
      if (path === '') continue;
      try {
        readFileSync(path);
      } catch (error) {
        delete environment[name];
        warnings.loss(
          'variable',
          `${name} ${path}`,
          `seqlock-metrics: ${name} is ${shortText(path)}, which cannot be read (${(error as Error).message}); it must be a file in PEM format. It is left out, and unless another variable names one, ${otherwise}`,
        );
      }
    }
}
