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
  resourceFromAttributes(attributes: ProviderResource['attributes']): OfficialResource;
}

interface OfficialResource extends ProviderResource {
  merge(other: OfficialResource): OfficialResource;
}

/**
 * The official names. A later one takes precedence over an earlier one: what the environment says counts
 * most.
 */
const DETECTORS = ['host', 'os', 'process', 'serviceinstance', 'env'] as const;

/**
 * The resource that the official detectors find. Call it in one thread only: all threads of a store are one
 * service instance, with one `service.instance.id`.
 */
export function detectedResource(environment: Environment): ProviderResource {
  const given = attributesFrom(environment);
  const resources = loadResources();
  const wanted = environment.listOf(['OTEL_NODE_RESOURCE_DETECTORS'], [...DETECTORS, 'all', 'none'], 'all');
  const detectors: Record<(typeof DETECTORS)[number], unknown> = {
    host: resources.hostDetector,
    os: resources.osDetector,
    process: resources.processDetector,
    serviceinstance: resources.serviceInstanceIdDetector,
    env: { detect: () => ({ attributes: given }) },
  };
  const used = wanted.includes('none')
    ? []
    : DETECTORS.filter((name) => wanted.includes('all') || wanted.includes(name));
  const detected = resources.detectResources({ detectors: used.map((name) => detectors[name]) });
  return resources.resourceFromAttributes(defaultResource().attributes).merge(detected);
}

/**
 * What the environment says of the resource. If anything in `OTEL_RESOURCE_ATTRIBUTES` cannot be read,
 * nothing of it is used, and a warning says so (specification, resource SDK). The official detector is
 * silent then.
 */
export function attributesFrom(environment: Environment): Record<string, string> {
  const found = environment.find('OTEL_RESOURCE_ATTRIBUTES');
  const serviceName = environment.find('OTEL_SERVICE_NAME')?.value;
  const pairs = found?.value.split(',').filter((pair) => pair.trim() !== '') ?? [];
  const read = pairs.map(pairOf);
  const wrong = pairs[read.indexOf(undefined)];
  if (found !== undefined && wrong !== undefined)
    environment.wrong(
      found.name,
      wrong.trim(),
      'a list of key=value, with percent-encoding for any other comma, = and %',
      'none of its attributes',
    );
  return {
    ...(wrong === undefined && Object.fromEntries(read.filter((pair) => pair !== undefined))),
    ...(serviceName !== undefined && { 'service.name': serviceName }),
  };
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
