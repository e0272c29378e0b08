import { createRequire } from 'node:module';
import { observe } from '../collect/observation.ts';
import type { Region } from '../memory/region.ts';

/**
 * Like `observe`, but reports callbacks that did not end in time like the official readers: with an error for
 * which `instanceof TimeoutError` holds.
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
 * Whoever has one of the SDK's readers has loaded its package already. A thread without one does not need it.
 */
function asTimeoutError(error: Error): Error {
  const require = createRequire(import.meta.url);
  const { TimeoutError } = require('@opentelemetry/sdk-metrics') as {
    readonly TimeoutError: new (message: string) => Error;
  };
  return Object.assign(new TimeoutError(error.message), { name: 'TimeoutError', code: 'E_CALLBACK_TIMEOUT' });
}
