import type { Attributes } from '@opentelemetry/api';
import { createRequire } from 'node:module';
import { defaultResource, type ProviderResource } from '../facade/resource.ts';
import type { Environment } from '../base/environment.ts';

/** The parts of `@opentelemetry/resources` that are used. */
interface ResourcesPackage {
  readonly hostDetector: unknown;
  readonly osDetector: unknown;
  readonly processDetector: unknown;
  readonly serviceInstanceIdDetector: unknown;
  detectResources(config: { readonly detectors: unknown[] }): OfficialResource;
  resourceFromAttributes(
    attributes: object,
    options?: { readonly schemaUrl?: string | undefined },
  ): OfficialResource;
}

interface OfficialResource extends ProviderResource {
  merge(other: OfficialResource): OfficialResource;
  getRawAttributes(): readonly (readonly [string, unknown])[];
}

/**
 * The official names. A later one takes precedence over an earlier one: what the environment says counts
 * most.
 */
export const DETECTORS = ['host', 'os', 'process', 'serviceinstance', 'env'] as const;
export type Detector = (typeof DETECTORS)[number];

/**
 * The resource that the official detectors find and the environment gives. Call it in one thread only: all
 * threads of a store are one service instance, with one `service.instance.id`.
 */
export function detectedResource(environment: Environment): ProviderResource {
  const given = attributesFrom(environment);
  const wanted = environment.listOf(['OTEL_NODE_RESOURCE_DETECTORS'], [...DETECTORS, 'all', 'none'], 'all');
  const used = wanted.includes('none')
    ? []
    : DETECTORS.filter((name) => wanted.includes('all') || wanted.includes(name));
  return resourceOf(used, used.includes('env') ? given : {});
}

/**
 * What these detectors find, and over it `given`. `wanted`: which keys of what is found are used; default
 * all.
 */
export function resourceOf(
  names: readonly Detector[],
  given: Attributes,
  {
    wanted,
    schemaUrl,
  }: { readonly wanted?: RegExp | undefined; readonly schemaUrl?: string | undefined } = {},
): ProviderResource {
  const resources = loadResources();
  const detectors: Readonly<Partial<Record<Detector, unknown>>> = {
    host: resources.hostDetector,
    os: resources.osDetector,
    process: resources.processDetector,
    serviceinstance: resources.serviceInstanceIdDetector,
  };
  const found = resources.detectResources({ detectors: names.flatMap((name) => detectors[name] ?? []) });
  // Some values are promises. Of several with one key, the first counts.
  const used = found.getRawAttributes().filter(([key]) => wanted?.test(key) !== false);
  return resources
    .resourceFromAttributes(defaultResource().attributes)
    .merge(resources.resourceFromAttributes(Object.fromEntries([...used].reverse())))
    .merge(resources.resourceFromAttributes(given, { schemaUrl }));
}

/**
 * What the environment says of the resource. If anything in `OTEL_RESOURCE_ATTRIBUTES` cannot be read,
 * nothing of it is used, and a warning says so (specification, resource SDK). The official detector is
 * silent then.
 */
export function attributesFrom(environment: Environment): Record<string, string> {
  const found = environment.find('OTEL_RESOURCE_ATTRIBUTES');
  const serviceName = environment.find('OTEL_SERVICE_NAME')?.value;
  const attributes = readAttributes(found?.value ?? '', (wrong) =>
    environment.wrong(
      found!.name,
      wrong,
      'a list of key=value, with percent-encoding for any other comma, = and %',
      'none of its attributes',
    ),
  );
  return { ...attributes, ...(serviceName !== undefined && { 'service.name': serviceName }) };
}

/** A list of key=value, percent-encoded. Empty, after a call of `onWrong`, if a part cannot be read. */
export function readAttributes(list: string, onWrong: (part: string) => void): Record<string, string> {
  const parts = list.split(',').filter((part) => part.trim() !== '');
  const pairs = parts.map(pairOf);
  const wrong = parts[pairs.indexOf(undefined)];
  if (wrong === undefined) return Object.fromEntries(pairs.filter((pair) => pair !== undefined));
  onWrong(wrong.trim());
  return {};
}

function pairOf(text: string): [string, string] | undefined {
  const [key = '', value, ...rest] = text.split('=').map((part) => part.trim());
  if (key === '' || value === undefined || rest.length > 0) return undefined;
  try {
    return [decodeURIComponent(key), decodeURIComponent(value)];
  } catch {
    return undefined;
  }
}

/** The copy that `@opentelemetry/sdk-metrics` depends on, so that the app does not need to install it. */
function loadResources(): ResourcesPackage {
  const sdk = createRequire(import.meta.url).resolve('@opentelemetry/sdk-metrics');
  return createRequire(sdk)('@opentelemetry/resources') as ResourcesPackage;
}
