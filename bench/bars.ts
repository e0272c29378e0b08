/** What this package wants to reach, beside what was measured. */
import type { Peer, Row } from './row.ts';
import { pairedDifference } from './statistics.ts';

/** Bytes: less than this per operation is the measurement's own noise, and no object is as small. */
const NO_GARBAGE = 0.5;

/**
 * Bars on Node.js 24 and 26, which people run, against the official SDK 3.x; its record calls are twice as fast there as on the lines before, of
 * which `older` is.
 */
interface BarByLine {
  readonly older: number;
  readonly 24: number;
  readonly 26: number;
}

interface Bar {
  readonly what: string;
  /** Against whom; undefined for a bar on the figure itself. */
  readonly peer?: Peer | 'none' | 'off' | 'shared';
  /**
   * At least this many times faster than the peer; at most this many times an app without metrics, or a store of one process; at most this much above a call without
   * exemplars; without a peer, the most.
   */
  readonly bar: number | BarByLine;
  readonly benchmark: string;
  /** Rows it is judged by. Where there are several, the worst counts. */
  readonly rows: RegExp;
  /** ... and that have this unit; undefined: any. */
  readonly unit?: Row['unit'];
}

const BARS: readonly Bar[] = [
  ...both('counter, 3 fresh attributes', 'counter', /^3 fresh/, { older: 15, 24: 15, 26: 13 }, 6),
  { what: 'counter, 3 fresh attributes', peer: 'pio', bar: 4.5, benchmark: 'counter', rows: /^3 fresh/ },
  ...both('histogram, 3 fresh attributes', 'histogram', /^3 fresh/, { older: 12, 24: 13, 26: 11 }, 7),
  {
    what: 'exponential histogram, 3 fresh attributes',
    peer: 'official',
    bar: 12,
    benchmark: 'exponential',
    rows: /^3 fresh/,
  },
  ...both('counter, 6 fresh attributes', 'counter', /^6 fresh/, { older: 15, 24: 15, 26: 11 }, 7),
  ...both('counter, no attributes', 'counter', /^no attributes/, 6, 2),
  { what: 'counter, bound', peer: 'prom', bar: 20, benchmark: 'counter', rows: /bound/ },
  ...both('counter, 3 attributes, one view', 'views', /^counter, one view/, 15, 6),
  ...both('histogram, 3 attributes, one view', 'views', /^histogram, one view/, 12, 7),
  ...both('counter, 3 attributes, two readers', 'views', /^counter, two readers/, 15, 6),
  ...both('histogram, 3 attributes, two readers', 'views', /^histogram, two readers/, 12, 7),
  { what: 'question for a span, ns', peer: 'off', bar: 3, benchmark: 'exemplars', rows: /./ },
  { what: 'garbage of a record, B', bar: NO_GARBAGE, benchmark: 'garbage', rows: /./ },
  { what: 'memory of a counter series, B', bar: 250, benchmark: 'memory', rows: /^counter/ },
  { what: 'memory of a histogram series, B', bar: 450, benchmark: 'memory', rows: /^histogram/ },
  {
    what: 'snapshot of 100,000 counters',
    peer: 'official',
    bar: 5,
    benchmark: 'collect',
    rows: /^snapshot, 100000 counter/,
  },
  scrapeBar('10,000 histograms', /^every value changed, 10000 histogram/, 25),
  scrapeBar('100,000 counters', /^every value changed, 100000 counter/, 20),
  {
    what: 'longest stall of the app in such scrapes, and in the first, ms',
    bar: 5,
    benchmark: 'scrape',
    rows: /^longest stall, .*(10000 histogram|100000 counter)/,
  },
  { what: 'scrapes of an app that hangs, ms', bar: 100, benchmark: 'hang', rows: /99 of 100/ },
  {
    what: 'longest stall of an app with workers in a scrape of 100,000 series, ms',
    bar: 5,
    benchmark: 'hang',
    rows: /^longest stall.*(half of|left out)/,
  },
  { what: 'p99 of a service that is scraped', peer: 'none', bar: 1.1, benchmark: 'service', rows: /^p99 / },
  {
    what: 'record call into a shared store',
    peer: 'shared',
    bar: 1.03,
    benchmark: 'processes',
    rows: /fresh/,
  },
  {
    what: 'scrape of 8 processes of 10,000 histograms each, ms',
    bar: 100,
    benchmark: 'processes',
    rows: /^scrape/,
  },
  { what: 'OTLP push, protobuf', peer: 'official', bar: 10, benchmark: 'otlp', rows: /^protobuf/ },
  {
    what: 'start of a worker, over a bare one',
    peer: 'official',
    bar: 2,
    benchmark: 'start',
    rows: /^worker.*/,
    unit: 'ms',
  },
  {
    what: 'memory of a worker, over a bare one',
    peer: 'official',
    bar: 1,
    benchmark: 'start',
    rows: /^worker.*/,
    unit: 'MB',
  },
  { what: 'start of a process', peer: 'official', bar: 1, benchmark: 'start', rows: /^process/ },
];

function both(
  what: string,
  benchmark: string,
  rows: RegExp,
  official: number | BarByLine,
  prom: number,
): Bar[] {
  return [
    { what, peer: 'official', bar: official, benchmark, rows },
    { what, peer: 'prom', bar: prom, benchmark, rows },
  ];
}

function scrapeBar(what: string, rows: RegExp, bar: number): Bar {
  return { what: `scrape of ${what}`, peer: 'official', bar, benchmark: 'scrape', rows };
}

export interface Verdict {
  readonly what: string;
  readonly peer: Peer | 'none' | 'off' | 'shared' | null;
  readonly bar: number;
  /** True when `measured` must not be above `bar`, false when not below. */
  readonly isMost: boolean;
  /** The worst of the rows; null when none was measured. */
  readonly measured: number | null;
  /** Each row the bar is judged by, and its figure. */
  readonly rows: Readonly<Record<string, number>>;
  readonly met: boolean | null;
}

function barOn(line: number, bar: number | BarByLine): number {
  if (typeof bar === 'number') return bar;
  return line >= 26 ? bar[26] : line >= 24 ? bar[24] : bar.older;
}

/**
 * Judges the bars by rows. A bar none of whose rows is there is neither met nor missed. `line`: the release line of Node.js the rows were
 * measured on.
 */
export function judge(
  rows: readonly Row[],
  line: number = Number.parseInt(process.versions.node, 10),
): Verdict[] {
  return BARS.map(({ what, peer, bar: barOrBars, benchmark, rows: pattern, unit }) => {
    const bar = barOn(line, barOrBars);
    const figures: Record<string, number> = {};
    for (const row of rows) {
      if (row.benchmark !== benchmark || !pattern.test(row.name)) continue;
      if (unit !== undefined && row.unit !== unit) continue;
      const figure = figureOf(row, peer);
      if (figure !== undefined) figures[row.name] = figure;
    }
    const found = Object.values(figures);
    const isMost = peer === undefined || peer === 'none' || peer === 'off' || peer === 'shared';
    const verdict = { what, peer: peer ?? null, bar, isMost, rows: figures };
    if (found.length === 0) return { ...verdict, measured: null, met: null };
    const measured = isMost ? Math.max(...found) : Math.min(...found);
    return { ...verdict, measured, met: isMost ? measured <= bar : measured >= bar };
  });
}

function figureOf({ values, ratios, rounds }: Row, peer: Bar['peer']): number | undefined {
  if (peer === undefined) return values.ours;
  if (peer === 'none') return ratios.ours;
  if (peer !== 'off') return ratios[peer];
  return rounds.ours && rounds.off && pairedDifference(rounds.ours, rounds.off);
}
