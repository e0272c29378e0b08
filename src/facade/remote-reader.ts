import type { IMetricReader } from '@opentelemetry/sdk-metrics';

/**
 * A reader of another thread, as far as a provider has to do with it: it says what it wants, so that the
 * store has it, and is asked to flush and to shut down. It reads the store by itself, and gets no producer.
 */
export interface RemoteReader extends IMetricReader {
  readonly readsElsewhere: true;
}

export function isRemote(reader: IMetricReader | RemoteReader): reader is RemoteReader {
  return 'readsElsewhere' in reader && reader.readsElsewhere;
}
