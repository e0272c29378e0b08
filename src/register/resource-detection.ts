import type { Attributes } from '@opentelemetry/api';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { hostname, release, userInfo } from 'node:os';
import { defaultResource, type ProviderResource } from '../facade/resource.ts';
import type { Environment } from '../base/environment.ts';

/** The parts of `@opentelemetry/resources` that are used. */
interface ResourcesPackage {
  readonly hostDetector: unknown;
  detectResources(config: { readonly detectors: readonly unknown[] }): OfficialResource;
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
 * What the official detectors find (semantic conventions, resources). The official package takes longer to
 * load than all else that a process with metrics loads.
 */
const FINDERS: Readonly<Record<Exclude<Detector, 'env'>, () => Attributes>> = {
  host: () => ({
    'host.name': hostname(),
    'host.arch': ARCHITECTURES[process.arch] ?? process.arch,
    'host.id': machineId(),
  }),
  os: () => ({
    'os.type': SYSTEMS[process.platform] ?? process.platform,
    'os.version': release(),
  }),
  process: () => ({
    'process.pid': process.pid,
    'process.executable.name': process.title,
    'process.executable.path': process.execPath,
    'process.command_args': [process.argv[0]!, ...process.execArgv, ...process.argv.slice(1)],
    'process.runtime.version': process.versions.node,
    'process.runtime.name': 'nodejs',
    'process.runtime.description': 'Node.js',
    'process.command': process.argv[1],
    'process.owner': owner(),
  }),
  serviceinstance: () => ({ 'service.instance.id': randomUUID() }),
};

const ARCHITECTURES: Readonly<Record<string, string>> = { arm: 'arm32', ppc: 'ppc32', x64: 'amd64' };
const SYSTEMS: Readonly<Record<string, string>> = { sunos: 'solaris', win32: 'windows' };

function owner(): string | undefined {
  try {
    return userInfo().username;
  } catch {
    return undefined; // the user has no entry in the system's list
  }
}

/** Of Linux, which has it in a file. */
function machineId(): string | undefined {
  for (const path of ['/etc/machine-id', '/var/lib/dbus/machine-id'])
    try {
      return readFileSync(path, 'utf8').trim();
    } catch {
      // the next, or none
    }
  return undefined;
}

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
  const isUsed = ([key, value]: readonly [string, unknown]): boolean =>
    value !== undefined && wanted?.test(key) !== false;
  const find = (found: readonly Detector[]): Attributes =>
    Object.fromEntries(
      found.flatMap((name) => (name === 'env' ? [] : Object.entries(FINDERS[name]()).filter(isUsed))),
    );
  const { attributes: byDefault } = defaultResource();
  if (process.platform === 'linux' || !names.includes('host'))
    return {
      attributes: { ...byDefault, ...find(names), ...given },
      ...(schemaUrl !== undefined && { schemaUrl }),
    };
  // Elsewhere a program of the system has to be asked for the host's id, which the official detector does.
  const resources = loadResources();
  const host = resources.detectResources({ detectors: [resources.hostDetector] }).getRawAttributes();
  return resources
    .resourceFromAttributes({ ...byDefault, ...Object.fromEntries(host.filter(isUsed)) })
    .merge(resources.resourceFromAttributes(find(names.filter((name) => name !== 'host'))))
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
