/**
 * How this package tells the app what goes wrong: through OpenTelemetry's `diag`, whose logger the app sets.
 * Most apps set none and would see nothing. So without a logger, what loses data or exports nothing goes to
 * standard error.
 *
 * Nothing here throws, whatever the logger does: telemetry must not break the app. Credentials in URLs are
 * never shown.
 */
import { diag } from '@opentelemetry/api';
import { withoutCredentials } from './errors.ts';

export type Level = 'error' | 'warn' | 'info';

/** How many printed texts are remembered. An older text is printed again when it comes again. */
const REMEMBERED_TEXTS = 1000;
const printedTexts = new Set<string>();

/** Tells the app's logger, if it has one. */
export function tell(level: Level, message: string): void {
  try {
    diag[level](withoutCredentials(message));
  } catch {
    // The logger is at fault.
  }
}

/**
 * For what loses data or exports nothing. Tells the app's logger; without one, prints each text once to
 * standard error.
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
 * Says that something has started: to the app's logger, or without one on standard error. `isOurs`: the
 * logger was set by this package, not by the app.
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
 * Whether the app has set a logger. The API has no function for that; all its copies of version 1 keep what
 * is registered here.
 */
export function hasLogger(): boolean {
  const registered = (globalThis as Record<symbol, { diag?: unknown } | undefined>)[
    Symbol.for('opentelemetry.js.api.1')
  ];
  return registered?.diag !== undefined;
}

/** How many causes of one kind are remembered and told one by one. */
const MAX_CAUSES = 50;

interface Kind {
  readonly causes: Set<string>;
  readonly tell: typeof tell;
  /** How many came since `causes` was full. */
  untold: number;
  /** How many of those were already told of as a number. */
  summed: number;
}

/**
 * Tells of each cause once. The number of causes is bounded by kind: no input makes them grow or floods the
 * log, and many causes of one kind hide none of another kind. Beyond the bound causes are counted. The count
 * is told at the 10th, 100th, 1,000th and so on, and by `end`.
 */
export class Warnings {
  readonly #kinds = new Map<string, Kind>();

  /**
   * `kind`: one of a few that the code names. `cause`: which of that kind, for example the name of the
   * metric.
   */
  once(kind: string, cause: string, message: string): void {
    this.#tell(kind, cause, message, tell);
  }

  /** The same for what loses data or exports nothing: see `tellOfLoss`. */
  loss(kind: string, cause: string, message: string): void {
    this.#tell(kind, cause, message, tellOfLoss);
  }

  /** Tells how many causes were not told of, with the latest message. Call it when no more are expected. */
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
