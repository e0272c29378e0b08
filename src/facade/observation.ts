import { observeElsewhere } from '../collect/observation.ts';
import type { Observe } from '../collect/metric-source.ts';
import { ring } from '../memory/doorbell.ts';
import { registryOf } from '../sdk/observable-registry.ts';
import type { StoreWriter } from '../state/store-writer.ts';

/** Has the callbacks of this thread and of all others called, at the same time. Rejects never; resolves to the errors of this thread's. */
export function observationBy(writer: StoreWriter): Observe {
  return async (timeoutMillis) => {
    const request = ring(writer.region);
    const [errors] = await Promise.all([
      registryOf(writer).run(request, timeoutMillis),
      observeElsewhere(writer.region, writer.slab ?? -1, timeoutMillis, request),
    ]);
    return errors;
  };
}
