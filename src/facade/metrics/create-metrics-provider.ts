import { tell, tellOfLoss } from '../../base/warnings.ts';
import { MetricStore, openIfPossible, storeOfEnvironment } from '../../state/store.ts';
import { ComparingMetricsProvider } from './comparing-metrics-provider.ts';
import { chosenMode, type MetricsConfig } from './metrics-config.ts';
import type { MetricsMode } from './metrics-provider.ts';
import { SeqlockMetricsProvider } from './seqlock-metrics-provider.ts';
import { StandardMetricsProvider } from './standard-metrics-provider.ts';

/** What `createMetricsProvider` makes; `mode` tells which. */
export type CreatedMetricsProvider =
  SeqlockMetricsProvider | StandardMetricsProvider | ComparingMetricsProvider;

/**
 * Makes the `MetricsProvider` that a configuration asks for (founding specification, factory function
 * pattern). `config`: an object, or the path of a TOML or JSON file, such as
 *
 *   [event_processor]
 *   enabled = true      # seqlock; standard if false or left out
 *
 * A file may also have `mode` at its top. If there is no shared memory, the standard provider takes the place
 * of the others. `diag.info` says which mode was started and why, `diag.warn` if it is not the requested one.
 *
 * @throws OptionError on a wrong configuration.
 */
export function createMetricsProvider(config: MetricsConfig | string | URL = {}): CreatedMetricsProvider {
  const { mode, reason, directory } = chosenMode(config);
  const {
    resource,
    readers,
    store: given,
  } = typeof config === 'string' || config instanceof URL ? {} : config;
  const shared = { ...(resource !== undefined && { resource }), ...(readers !== undefined && { readers }) };
  if (mode === 'standard') return started(new StandardMetricsProvider(shared), reason);
  try {
    const store = given ?? storeOf(directory);
    const options = { ...shared, ...(store !== undefined && { store }) };
    return started(
      mode === 'compare' ? new ComparingMetricsProvider(options) : new SeqlockMetricsProvider(options),
      reason,
    );
  } catch (error) {
    if (!isOfSharedMemory(error)) throw error;
    tellOfLoss(
      'warn',
      `seqlock-metrics: ${mode} mode was requested (${reason}), but there is no shared memory: ${(error as Error).message}. The official SDK keeps the metrics instead, separately for each thread`,
    );
    return started(new StandardMetricsProvider(shared), 'there is no shared memory');
  }
}

/** A thread that inherited a store belongs to that one. */
function storeOf(directory: unknown): MetricStore | undefined {
  if (directory !== undefined) return openIfPossible(directory);
  return MetricStore.inherited() ?? storeOfEnvironment();
}

function started<P extends { readonly mode: MetricsMode }>(provider: P, reason: string): P {
  tell('info', `seqlock-metrics: metrics provider started in ${provider.mode} mode: ${reason}`);
  return provider;
}

/**
 * Checked by code, since a process may hold two copies of this package. An `OptionError` is the caller's
 * mistake.
 */
function isOfSharedMemory(error: unknown): boolean {
  const code = (error as { readonly code?: unknown } | null)?.code;
  return typeof code === 'string' && code.startsWith('E_') && code !== 'E_OPTION';
}
