import { createRequire } from 'node:module';
import { observe } from '../collect/observation.ts';
import type { Region } from '../memory/region.ts';

/**
 * As `observe`. Callbacks that did not end in time are reported as the official readers report theirs, with
 * an error for which `instanceof TimeoutError` holds.
 */
export async function observeOfficially(
  region: Region,
  timeoutMillis: number | undefined,
): Promise<unknown[]> {
  return (await observe(region, timeoutMillis)).map((error) =>
    (error as { code?: unknown } | null)?.code === 'E_CALLBACK_TIMEOUT'
      ? asTimeoutError(error as Error)
      : error,
  );
}

/**
 * The SDK's package is loaded by whoever has one of its readers; a thread that has none does not need it for
 * this.
 */
function asTimeoutError(error: Error): Error {
  const require = createRequire(import.meta.url);
  const { TimeoutError } = require('@opentelemetry/sdk-metrics') as {
    readonly TimeoutError: new (message: string) => Error;
  };
  return Object.assign(new TimeoutError(error.message), { name: 'TimeoutError', code: 'E_CALLBACK_TIMEOUT' });
}
