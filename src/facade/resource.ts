import type { Attributes } from '@opentelemetry/api';
import { basename } from 'node:path';
import { isObject, rule, type Check } from '../base/options.ts';
import { VERSION } from '../base/version.ts';

/**
 * What a provider takes as a resource: a `Resource` of `@opentelemetry/resources`, or any object of that
 * shape.
 */
export interface ProviderResource {
  readonly attributes: Attributes;
  readonly schemaUrl?: string;
  readonly asyncAttributesPending?: boolean | undefined;
  waitForAsyncAttributes?(): Promise<void>;
  /** Of the official resource: all attributes, those that are still being found out as promises. */
  getRawAttributes?(): readonly (readonly [string, unknown])[];
}

/**
 * The attributes that are known by now. The official resource complains when it is asked for them before it
 * has all.
 */
export function knownAttributes(resource: ProviderResource): Attributes {
  if (resource.asyncAttributesPending !== true) return resource.attributes;
  const known: Record<string, unknown> = {};
  for (const [key, value] of resource.getRawAttributes?.() ?? [])
    // the first of several counts
    if (value !== undefined && value !== null && !(value instanceof Promise)) known[key] ??= value;
  return known as Attributes;
}

/**
 * What is left of a resource where several processes have one store: nothing that tells one of them from
 * another.
 */
export function withoutProcess(attributes: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(attributes).filter(([key]) => !key.startsWith('process.')));
}

/**
 * The resource of a provider that was given none (specification, resource SDK: default `service.name` and
 * `telemetry.sdk` attributes; an SDK that is not OpenTelemetry's own gives its own name).
 */
export function defaultResource(): ProviderResource {
  return {
    attributes: {
      'service.name': `unknown_service:${basename(process.argv0)}`, // of the executable, without its path
      'telemetry.sdk.language': 'nodejs',
      'telemetry.sdk.name': 'seqlock-metrics',
      'telemetry.sdk.version': VERSION,
    },
  };
}

export const checkResource: Check = rule('a Resource: an object with attributes', isResource);

/** Attributes that are still being found out are not looked at: the official resource complains. */
function isResource(value: unknown): boolean {
  if (!isObject(value)) return false;
  const resource = value as Partial<ProviderResource>;
  return resource.asyncAttributesPending === true || isObject(resource.attributes);
}
