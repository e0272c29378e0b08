import type { Attributes } from '@opentelemetry/api';
import { VERSION } from '../base/version.ts';

/** What a provider takes as a resource: a `Resource` of `@opentelemetry/resources`, or any object of that shape. */
export interface ProviderResource {
  readonly attributes: Attributes;
  readonly schemaUrl?: string;
  readonly asyncAttributesPending?: boolean | undefined;
  waitForAsyncAttributes?(): Promise<void>;
}

/**
 * The resource of a provider that was given none (specification, resource SDK: default `service.name` and `telemetry.sdk`
 * attributes; an SDK that is not OpenTelemetry's own gives its own name).
 */
export function defaultResource(): ProviderResource {
  return {
    attributes: {
      'service.name': `unknown_service:${process.argv0}`,
      'telemetry.sdk.language': 'nodejs',
      'telemetry.sdk.name': 'seqlock-metrics',
      'telemetry.sdk.version': VERSION,
    },
  };
}
