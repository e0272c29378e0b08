import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { OptionError, shortText } from '../../base/errors.ts';
import { anything, flag, isObject, oneOf, rule, table, type Check } from '../../base/options.ts';
import type { MetricsMode } from './metrics-provider.ts';
import type { SeqlockMetricsProviderOptions } from './seqlock-metrics-provider.ts';

/** What `createMetricsProvider` takes. */
export interface MetricsConfig extends Pick<SeqlockMetricsProviderOptions, 'resource' | 'readers' | 'store'> {
  /**
   * A store directory: all processes that name it have one store (`MetricStore.open`). Default: the one that
   * `SEQLOCK_METRICS_DIRECTORY` names, if any. One that cannot be used is warned of, and the process has a
   * store of its own.
   */
  readonly directory?: string;
  /** Which implementation. Default: by `eventProcessor`. */
  readonly mode?: MetricsMode;
  /**
   * The switch of the founding specification: `seqlock` where it is enabled, `standard` where it is not.
   * Default: not.
   */
  readonly eventProcessor?: { readonly enabled?: boolean };
}

/** A mode, and why it was chosen. */
export interface ChosenMode {
  readonly mode: MetricsMode;
  readonly reason: string;
  /** As it was given: whoever opens it checks it. */
  readonly directory?: unknown;
}

const MODES: readonly MetricsMode[] = ['seqlock', 'standard', 'compare'];

const checkMode = oneOf(MODES);
const checkSwitch: Check = rule('a table such as { enabled: true }', isObject);
/** In a file the table is the application's, which may keep more there. */
const checkKeysOfSwitch: Check = table<NonNullable<MetricsConfig['eventProcessor']>>(
  { enabled: anything },
  { example: 'a table such as { enabled: true }' },
);
const CHECK: Check = table<MetricsConfig>(
  // `modeOf` checks the first two, the provider the rest, and whoever opens the directory that one.
  {
    mode: anything,
    eventProcessor: checkKeysOfSwitch,
    resource: anything,
    readers: anything,
    store: anything,
    directory: anything,
  },
  { example: 'an object, or the path of a file', prefix: '' },
);

/**
 * The mode that a configuration asks for: an object, or the path of a file. Throws an `OptionError` if it is
 * wrong.
 */
export function chosenMode(config: unknown): ChosenMode {
  if (typeof config === 'string' || config instanceof URL) return modeOfFile(config);
  CHECK(config, 'config of createMetricsProvider');
  const { mode, eventProcessor, directory, store } = config as Record<string, unknown>;
  if (directory !== undefined && store !== undefined)
    throw new OptionError(
      'directory',
      directory,
      'left out when store is given: a store has its directory already',
    );
  return { ...modeOf(mode, eventProcessor, 'eventProcessor'), directory };
}

/**
 * The same in a file of the application: `mode`, `directory` and the table `event_processor`, in JSON also
 * `eventProcessor`. Everything else in the file belongs to the application.
 */
function modeOfFile(file: string | URL): ChosenMode {
  const path = typeof file === 'string' ? file : fileURLToPath(file);
  const content = parsed(path);
  if (typeof content !== 'object' || content === null || Array.isArray(content))
    throw new OptionError(`content of ${path}`, content, 'a table of settings');
  const { mode, event_processor: snake, eventProcessor, directory } = content as Record<string, unknown>;
  return { ...modeOf(mode, snake ?? eventProcessor, 'event_processor', path), directory };
}

function modeOf(mode: unknown, eventProcessor: unknown, switchName: string, file?: string): ChosenMode {
  const prefix = file === undefined ? '' : `${file}: `;
  const where = file === undefined ? '' : ` in ${file}`;
  if (mode !== undefined) checkMode(mode, `${prefix}mode`);
  if (eventProcessor !== undefined) checkSwitch(eventProcessor, `${prefix}${switchName}`);
  const { enabled } = (eventProcessor ?? {}) as { readonly enabled?: boolean };
  if (enabled !== undefined) flag(enabled, `${prefix}${switchName}.enabled`);
  if (mode !== undefined) return { mode: mode as MetricsMode, reason: `mode is ${shortText(mode)}${where}` };
  return {
    mode: enabled === true ? 'seqlock' : 'standard',
    reason:
      enabled === undefined
        ? `neither mode nor ${switchName}.enabled is set${where}`
        : `${switchName}.enabled is ${enabled}${where}`,
  };
}

function parsed(path: string): unknown {
  const parse = parserOf(path);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new OptionError('configuration file', path, `a file that can be read: ${messageOf(error)}`);
  }
  try {
    return parse(text);
  } catch (error) {
    throw new OptionError('configuration file', path, `without errors: ${messageOf(error)}`);
  }
}

function parserOf(path: string): (text: string) => unknown {
  switch (extname(path).toLowerCase()) {
    case '.json':
      return JSON.parse;
    case '.toml':
      return tomlParser(path);
    default:
      throw new OptionError('configuration file', path, 'a .toml or .json file');
  }
}

/** Loaded only where a TOML file is given: the package is an optional peer. */
function tomlParser(path: string): (text: string) => unknown {
  const require = createRequire(import.meta.url);
  try {
    return (require('smol-toml') as { readonly parse: (text: string) => unknown }).parse;
  } catch (error) {
    throw new OptionError(
      'configuration file',
      path,
      `a .json file, or the package smol-toml must be installed, which cannot be loaded (${messageOf(error)}): npm install smol-toml`,
    );
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message.split('\n')[0]! : String(error);
}
