import { createRequire } from 'node:module';

/**
 * The package `@opentelemetry/sdk-metrics`, loaded when a class of it is needed: it takes longer to load than
 * this package, and most threads need none.
 *
 * @throws What Node.js throws where the package is not installed.
 */
export function officialSdk(): typeof import('@opentelemetry/sdk-metrics') {
  const require = createRequire(import.meta.url);
  return require('@opentelemetry/sdk-metrics') as ReturnType<typeof officialSdk>;
}
