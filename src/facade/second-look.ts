/**
 * Finds, some time after a provider was made, that its metrics will be empty although the app runs. Each
 * finding is such a setup.
 */
import { metrics, type MeterProvider } from '@opentelemetry/api';
import { withoutContext } from '../base/no-context.ts';
import { setTimeout } from '../base/platform.ts';
import { hasSource } from '../collect/metric-source.ts';
import { READER_MARK_INDEX } from '../memory/layout.ts';
import { slabsUsed } from '../memory/slab.ts';
import { earlyInstruments, isNoopProvider } from '../sdk/early-instruments.ts';
import type { StoreWriter } from '../state/store-writer.ts';

/** By then an app has set itself up. */
const LOOK_AFTER_MILLIS = 10_000;

/** Calls `look` once, if `provider` still exists by then. Does not keep the process alive. */
export function lookLater<P extends object>(provider: P, look: (provider: P) => void): void {
  const reference = new WeakRef(provider);
  withoutContext(() =>
    setTimeout(() => {
      const held = reference.deref();
      if (held !== undefined) look(held);
    }, LOOK_AFTER_MILLIS).unref(),
  );
}

/** The texts of warnings about a provider that made its store. */
export function findings(provider: MeterProvider, writer: StoreWriter): string[] {
  const { region } = writer;
  const isRead = hasSource(region) || Atomics.load(region.words, READER_MARK_INDEX) !== 0;
  const isRecorded = writer.hasStreams || slabsUsed(region) > 1;
  const global = metrics.getMeterProvider();
  const found: string[] = [];
  if (isRead && !isRecorded && global !== provider)
    found.push(
      `seqlock-metrics: a SeqlockMeterProvider exports metrics, but nothing was recorded to it so far, and ${globalIs(global)}. Instruments of the OpenTelemetry API record to the global provider. Register this provider with metrics.setGlobalMeterProvider, before any other, and only once: a development server that reloads modules may make a second one`,
    );
  if (isRecorded && !isRead)
    found.push(
      'seqlock-metrics: metrics are recorded to a SeqlockMeterProvider and exported nowhere: it has no readers, and no exporter thread or handler reads its store. Attach a reader, or start an exporter thread: it reads the first store of the thread that starts it, or the one given as its option store. In a worker: make the provider of the main thread before the worker, so that both share one store',
    );
  const early = global === provider ? earlyInstruments() : [];
  if (early.length > 0)
    found.push(
      `seqlock-metrics: instruments were made before the meter provider was registered, and record nothing: ${early.slice(0, 5).join(', ')}${early.length > 5 ? ` and ${early.length - 5} more` : ''}. Register the provider in a file that is loaded first (node --import), or make the instruments later`,
    );
  return found;
}

function globalIs(global: MeterProvider): string {
  return isNoopProvider(global)
    ? 'no global meter provider is registered'
    : `the global meter provider is another one (${global.constructor.name})`;
}
