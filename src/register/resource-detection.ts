import { createRequire } from 'node:module';
import { defaultResource, type ProviderResource } from '../facade/resource.ts';
import type { Environment } from '../base/environment.ts';

/** The parts of `@opentelemetry/resources` that are used. */
interface ResourcesPackage {
  readonly envDetector: unknown;
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

/** Characters that the official detector accepts in keys and values. */
const LONGEST = 255;

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
  checkAttributes(environment);
  const resources = loadResources();
  const wanted = environment.listOf(['OTEL_NODE_RESOURCE_DETECTORS'], [...DETECTORS, 'all', 'none'], 'all');
  const detectors: Record<(typeof DETECTORS)[number], unknown> = {
    host: resources.hostDetector,
    os: resources.osDetector,
    process: resources.processDetector,
    serviceinstance: resources.serviceInstanceIdDetector,
    env: resources.envDetector,
  };
  const used = wanted.includes('none')
    ? []
    : DETECTORS.filter((name) => wanted.includes('all') || wanted.includes(name));
  const detected = resources.detectResources({ detectors: used.map((name) => detectors[name]) });
  return resources.resourceFromAttributes(defaultResource().attributes).merge(detected);
}

/**
 * The official detector does not report what it cannot read, and then ignores the whole variable
 * (specification, resource SDK).
 */
function checkAttributes(environment: Environment): void {
  const found = environment.find('OTEL_RESOURCE_ATTRIBUTES');
  const wrong = found?.value.split(',').find((pair) => pair.trim() !== '' && !isReadable(pair));
  if (found !== undefined && wrong !== undefined)
    environment.wrong(
      found.name,
      wrong.trim(),
      'a list of key=value, with percent-encoding for any other comma, = and %',
      'none of its attributes',
    );
}

function isReadable(pair: string): boolean {
  const [key, value, ...rest] = pair.split('=');
  if (key!.trim() === '' || value === undefined || rest.length > 0) return false;
  try {
    return decodeURIComponent(key!).length <= LONGEST && decodeURIComponent(value).length <= LONGEST;
  } catch {
    return false;
  }
}

/** The copy that `@opentelemetry/sdk-metrics` depends on, so that the app does not need to install it. */
function loadResources(): ResourcesPackage {
  const sdk = createRequire(import.meta.url).resolve('@opentelemetry/sdk-metrics');
  return createRequire(sdk)('@opentelemetry/resources') as ResourcesPackage;
}
