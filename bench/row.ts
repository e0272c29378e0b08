import { median, pairedRatio } from './statistics.ts';

/**
 * What is compared. `floor` is a loop with everything but the call: the caller's own cost. `fast` and `strict` are the two
 * forms of the cell protocol of this package. `none` is an app without metrics, `off` this package without exemplars; `pio` is `@prometheus-io/client`, prom-client's successor.
 * `handler` is this package where the app's own thread answers scrapes; otherwise its exporter thread does.
 * `shared`: this package, into a store of several processes.
 * `quiet`: no other thread at work; `busy`: others write what is read, or read what is written; `spinning`: others compute.
 */
export type Contender =
  | 'floor'
  | 'none'
  | 'off'
  | 'ours'
  | 'handler'
  | 'official'
  | 'prom'
  | 'pio'
  | 'fast'
  | 'strict'
  | 'shared'
  | 'quiet'
  | 'spinning'
  | 'busy';

/** Of whom a row gives a ratio, and to whom. */
const RATIOS = {
  official: 'ours',
  prom: 'ours',
  pio: 'ours',
  ours: 'none',
  strict: 'fast',
  shared: 'ours',
  busy: 'quiet',
} as const;
export type Compared = keyof typeof RATIOS;
export type Peer = 'official' | 'prom' | 'pio';

export type Unit = 'ns' | 'ms' | 'B' | 'MB' | '%';

/** Values of one contender, one a round; the same round of two contenders ran side by side. */
export type Rounds = Partial<Record<Contender, readonly number[]>>;

/** One line of a table: what every contender needs for one thing. Less is better. */
export interface Row {
  readonly benchmark: string;
  readonly name: string;
  readonly unit: Unit;
  /** Medians over the rounds. */
  readonly values: Partial<Record<Contender, number>>;
  /**
   * How many times ours a peer needs; how many times an app without metrics, ours; how many times FAST, STRICT; how many times a store of one
   * process, a shared one; how many times alone,
   * beside others.
   */
  readonly ratios: Partial<Record<Compared, number>>;
  readonly rounds: Rounds;
}

export function rowOf(benchmark: string, name: string, unit: Unit, rounds: Rounds): Row {
  const values: Partial<Record<Contender, number>> = {};
  for (const [contender, measured] of Object.entries(rounds))
    values[contender as Contender] = median(measured);
  const ratios: Partial<Record<Compared, number>> = {};
  for (const [compared, base] of Object.entries(RATIOS) as [Compared, Contender][]) {
    const other = rounds[compared];
    const own = rounds[base];
    if (own === undefined || other === undefined) continue;
    const ratio = pairedRatio(other, own);
    // Garbage may be nothing, give or take a byte of the measurement's own, and a ratio to nothing says nothing.
    if (benchmark !== 'garbage' && unit !== '%' && Number.isFinite(ratio)) ratios[compared] = ratio;
  }
  return { benchmark, name, unit, values, ratios, rounds };
}
