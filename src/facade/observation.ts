import { observe } from '../collect/observation.ts';
import type { Region } from '../memory/region.ts';
import { officialSdk } from './official-sdk.ts';

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

function asTimeoutError(error: Error): Error {
  const { TimeoutError } = officialSdk();
  return Object.assign(new TimeoutError(error.message), { name: 'TimeoutError', code: 'E_CALLBACK_TIMEOUT' });
}
