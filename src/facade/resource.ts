import type { Attributes } from '@opentelemetry/api';
import { basename } from 'node:path';
import { isObject, rule, type Check } from '../base/options.ts';
import { VERSION } from '../base/version.ts';

/**
 * What a provider accepts as a resource: a `Resource` of `@opentelemetry/resources`, or any object of that
 * shape.
 */
export interface ProviderResource {
  readonly attributes: Attributes;
  readonly schemaUrl?: string;
  readonly asyncAttributesPending?: boolean | undefined;
  waitForAsyncAttributes?(): Promise<void>;
  /** All attributes of an official resource; those that are not known yet are promises. */
  getRawAttributes?(): readonly (readonly [string, unknown])[];
}

/**
 * The attributes that are known by now. The official resource logs an error if it is asked for attributes
 * before it has all.
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
 * A resource for several processes with one store: without anything that distinguishes one process from
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

/** Does not read attributes that are not known yet, since the official resource would log an error. */
function isResource(value: unknown): boolean {
  if (!isObject(value)) return false;
  const resource = value as Partial<ProviderResource>;
  return resource.asyncAttributesPending === true || isObject(resource.attributes);
}
