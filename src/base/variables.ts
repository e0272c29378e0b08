import { isMainThread } from 'node:worker_threads';
import { allowedNames } from './options.ts';
import { QUIET_VARIABLE, tellOfLoss } from './warnings.ts';

const PREFIX = 'SEQLOCK_METRICS_';

/** All environment variables of this package. A test checks that every variable the code reads is listed. */
export const VARIABLES: readonly string[] = [
  'SEQLOCK_METRICS_BEARER_TOKEN_FILE',
  'SEQLOCK_METRICS_BEARER_TOKEN_SHA256',
  'SEQLOCK_METRICS_BLOCKED_THREADS',
  'SEQLOCK_METRICS_EXPORTER',
  'SEQLOCK_METRICS_MEMORY_ORDER',
  'SEQLOCK_METRICS_DIRECTORY',
  'SEQLOCK_METRICS_PAGE',
  QUIET_VARIABLE,
  'SEQLOCK_METRICS_SELF_METRICS',
  'SEQLOCK_METRICS_SIGNALS',
  'SEQLOCK_METRICS_WEB_CONFIG_FILE',
];

const end = (name: string): string => name.slice(PREFIX.length);
let isTold = false;

/** Warns, once per process, of variables that have this package's prefix and no meaning. */
export function tellOfUnknownVariables(): void {
  if (isTold || !isMainThread) return;
  isTold = true;
  for (const message of unknownVariables(process.env)) tellOfLoss('warn', message);
}

/** The texts of the warnings. */
export function unknownVariables(environment: Readonly<Record<string, string | undefined>>): string[] {
  return Object.keys(environment)
    .filter((name) => name.startsWith(PREFIX) && !VARIABLES.includes(name))
    .map(
      (name) =>
        `seqlock-metrics: the environment variable ${name} is unknown and has no effect. Known are the names that begin with ${PREFIX} and end with ${allowedNames(VARIABLES.map(end), end(name))}`,
    );
}
