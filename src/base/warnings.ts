/**
 * How this package tells the app of what goes wrong: through OpenTelemetry's `diag`, whose logger the app
 * sets. Most apps set none, and hear nothing of it; so what loses data, or exports nothing, goes to standard
 * error then.
 *
 * Nothing here throws, whatever the logger does: telemetry must not break the app it serves. Nothing shows
 * the credentials of a URL.
 */
import { diag } from '@opentelemetry/api';
import { withoutCredentials } from './errors.ts';

export type Level = 'error' | 'warn' | 'info';

/** Texts remembered that were printed to standard error. An older one that comes again is printed again. */
const REMEMBERED_TEXTS = 1000;
const printedTexts = new Set<string>();

/** Tells the app's logger, if it has one. */
export function tell(level: Level, message: string): void {
  try {
    diag[level](withoutCredentials(message));
  } catch {
    // The logger's own fault.
  }
}

/**
 * For what loses data or exports nothing: tells the app's logger, or where there is none standard error, each
 * text once.
 */
export function tellOfLoss(level: Level, message: string): void {
  if (hasLogger()) tell(level, message);
  else if (!printedTexts.has(message)) {
    printedTexts.add(message);
    if (printedTexts.size > REMEMBERED_TEXTS) printedTexts.delete(printedTexts.values().next().value!);
    printLine(message);
  }
}

/** Set to true, it turns off what `announce` prints. */
export const QUIET_VARIABLE = 'SEQLOCK_METRICS_QUIET';

/**
 * Says that something began: to the app's logger, or where it has none on standard error. `isOurs`: the
 * logger is not the app's.
 */
export function announce(message: string, isOurs: boolean = !hasLogger()): void {
  if (!isOurs) tell('info', message);
  else if (process.env[QUIET_VARIABLE]?.trim().toLowerCase() !== 'true')
    printLine(`${message} (${QUIET_VARIABLE}=true turns this line off)`);
}

/** Prints a line to standard error, unless `OTEL_LOG_LEVEL` is `none`. */
export function printLine(message: string): void {
  if (process.env['OTEL_LOG_LEVEL']?.trim().toLowerCase() === 'none') return;
  try {
    const shown = withoutCredentials(message);
    process.stderr.write(shown.startsWith(PREFIX) ? `${shown}\n` : `${PREFIX}${shown}\n`);
  } catch {
    // Closed.
  }
}

const PREFIX = 'seqlock-metrics: ';

/**
 * Whether the app has set a logger. The API has no question for it; this is where all its copies of version 1
 * keep what is registered.
 */
export function hasLogger(): boolean {
  const registered = (globalThis as Record<symbol, { diag?: unknown } | undefined>)[
    Symbol.for('opentelemetry.js.api.1')
  ];
  return registered?.diag !== undefined;
}

/** Causes of one kind that are remembered, and told of one by one. */
const MAX_CAUSES = 50;

interface Kind {
  readonly causes: Set<string>;
  readonly tell: typeof tell;
  /** Since `causes` was full. */
  untold: number;
  /** Of those, told of in a sum. */
  summed: number;
}

/**
 * Tells of each cause once. Causes are bounded by their kind, so that no input makes them grow or floods the
 * log, and many of one kind hide none of another. Beyond the bound they are counted, and the count is told at
 * the 10th, 100th, 1,000th and so on, and by `end`.
 */
export class Warnings {
  readonly #kinds = new Map<string, Kind>();

  /** `kind`: one of a few that the code names. `cause`: what of the kind, such as the metric. */
  once(kind: string, cause: string, message: string): void {
    this.#tell(kind, cause, message, tell);
  }

  /** The same for what loses data or exports nothing: see `tellOfLoss`. */
  loss(kind: string, cause: string, message: string): void {
    this.#tell(kind, cause, message, tellOfLoss);
  }

  /** Tells how many were not told of, and which is the latest sum. To be called when no more are expected. */
  end(): void {
    for (const [kind, found] of this.#kinds) if (found.untold > found.summed) sum(kind, found);
  }

  #tell(kind: string, cause: string, message: string, how: typeof tell): void {
    let found = this.#kinds.get(kind);
    if (found === undefined)
      this.#kinds.set(kind, (found = { causes: new Set(), tell: how, untold: 0, summed: 0 }));
    if (found.causes.has(cause)) return;
    if (found.causes.size < MAX_CAUSES) {
      found.causes.add(cause);
      how('warn', message);
      return;
    }
    found.untold++;
    if (found.untold >= 10 * Math.max(1, found.summed)) sum(kind, found, message);
  }
}

function sum(kind: string, found: Kind, latest?: string): void {
  found.summed = found.untold;
  const example = latest === undefined ? '' : `. The latest: ${latest}`;
  found.tell(
    'warn',
    `seqlock-metrics: ${found.untold} more warnings of the kind "${kind}" were counted and not printed${example}`,
  );
}
