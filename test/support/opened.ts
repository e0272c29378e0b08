import { SeqlockMeterProvider, type SeqlockMeterProviderOptions } from '../../src/facade/meter-provider.ts';

const providers: SeqlockMeterProvider[] = [];

/** A provider that `shutDownOpened` shuts down: a store left open would stay the published one of the process. */
export function opened(options: SeqlockMeterProviderOptions): SeqlockMeterProvider {
  const provider = new SeqlockMeterProvider(options);
  providers.push(provider);
  return provider;
}

export async function shutDownOpened(): Promise<void> {
  await Promise.all(providers.splice(0).map((provider) => provider.shutdown()));
}
