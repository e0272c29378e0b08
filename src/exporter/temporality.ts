import type { InstrumentKind } from '../state/instrument-kind.ts';
import { TEMPORALITIES, type OtlpPushOptions, type Temporality } from './options.ts';

/** Kinds of which the official OTLP exporter takes deltas for each preference (specification, OTLP exporter, temporality preference). */
export const DELTA_KINDS: Readonly<Record<Temporality, readonly InstrumentKind[]>> = {
  cumulative: [],
  delta: ['COUNTER', 'OBSERVABLE_COUNTER', 'GAUGE', 'OBSERVABLE_GAUGE', 'HISTOGRAM'],
  lowmemory: ['COUNTER', 'HISTOGRAM'],
};

/** What is pushed: the option, else what the official exporter takes from its environment variable. */
export function temporalityOf(
  { temporality }: OtlpPushOptions,
  environment: Readonly<Record<string, string | undefined>>,
): Temporality {
  const preference = environment['OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE']?.trim().toLowerCase();
  return temporality ?? TEMPORALITIES.find((name) => name === preference) ?? 'cumulative';
}
