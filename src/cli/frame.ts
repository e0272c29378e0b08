import type { Region } from '../memory/region.ts';
import type { MergedStream } from '../collect/directory/merged-stream.ts';
import type { Sample } from './activity.ts';
import { bytesText, printable } from './writers.ts';

export const SORTS = ['rate', 'series', 'new', 'name'] as const;
export type Sort = (typeof SORTS)[number];

/** What the user has chosen. */
export interface View {
  readonly sort: Sort;
  readonly filter: string;
  readonly isFiltering: boolean;
  readonly isPaused: boolean;
  /** The metric that is shown series by series. */
  readonly opened: MergedStream | undefined;
  /** Row that is chosen, of the metrics. */
  readonly selected: number;
}

export interface Screen {
  readonly columns: number;
  readonly rows: number;
  readonly hasColor: boolean;
}

/** At most so many threads are shown, those that record most. */
const MOST_THREADS = 8;
const STATES = { alive: 'alive', dead: 'dead', unknown: '?' } as const;

/** Metrics in the order in which they are shown. */
export function shownStreams({ streams }: Sample, { sort, filter }: View): Sample['streams'] {
  const wanted = filter.toLowerCase();
  const found = streams.filter(({ stream }) => stream.description.name.toLowerCase().includes(wanted));
  const byName = (a: MergedStream, b: MergedStream): number =>
    a.description.name < b.description.name ? -1 : Number(a.description.name > b.description.name);
  return found.sort((a, b) => {
    const first =
      sort === 'rate'
        ? b.recordsPerSecond - a.recordsPerSecond
        : sort === 'series'
          ? b.series - a.series
          : sort === 'new'
            ? b.newSeries - a.newSeries
            : 0;
    return first || byName(a.stream, b.stream);
  });
}

/** The lines of the screen. `valueOf`: the value of a series, as text. */
export function frameOf(
  region: Region,
  sample: Sample,
  view: View,
  screen: Screen,
  valueOf: (stream: MergedStream, series: number) => string,
): string[] {
  const paint = (code: number, text: string): string =>
    screen.hasColor ? `\u001b[${code}m${text}\u001b[0m` : text;
  const fit = (text: string): string =>
    text.length > screen.columns ? `${text.slice(0, screen.columns - 1)}~` : text;
  const { threads } = sample;
  const alive = threads.filter(({ state }) => state === 'alive').length;
  const records = threads.reduce((sum, { recordsPerSecond }) => sum + recordsPerSecond, 0);
  const series = sample.streams.reduce((sum, stream) => sum + stream.series, 0);
  const lines = [
    paint(1, fit(`seqlock-metrics top  ${printable(region.directory!)}${view.isPaused ? '  PAUSED' : ''}`)),
    fit(
      `${bytesText(region.usedBytes)} of ${bytesText(region.maxBytes)}  ${sample.streams.length} metrics, ${series} series  ${rateText(records)} records/s  ${alive}/${threads.length} alive`,
    ),
    '',
    paint(7, fit('PROCESS  THREAD  STATE    BLOCKED s  RECORDS/s'.padEnd(screen.columns))),
  ];
  const busiest = [...threads].sort(
    (a, b) =>
      Number(a.state === 'dead') - Number(b.state === 'dead') ||
      b.recordsPerSecond - a.recordsPerSecond ||
      a.slab - b.slab,
  );
  for (const { process: id, thread, state, blockedSeconds, recordsPerSecond } of busiest.slice(
    0,
    MOST_THREADS,
  )) {
    const isBlocked = blockedSeconds !== undefined && blockedSeconds >= 1;
    const line = `${String(id ?? '-').padStart(7)}${String(thread ?? '-').padStart(8)}  ${(isBlocked ? 'blocked' : STATES[state]).padEnd(8)}${(blockedSeconds === undefined ? '?' : blockedSeconds.toFixed(1)).padStart(10)}${rateText(recordsPerSecond).padStart(11)}`;
    lines.push(isBlocked ? paint(31, fit(line)) : fit(line));
  }
  if (threads.length > MOST_THREADS) lines.push(fit(`        and ${threads.length - MOST_THREADS} more`));
  lines.push('');
  const room = screen.rows - lines.length - 2;
  if (view.opened !== undefined)
    lines.push(...openedLines(sample, view, { fit, paint, room, screen, valueOf }));
  else {
    const width = Math.max(20, screen.columns - 32);
    lines.push(
      paint(7, fit(`${'METRIC'.padEnd(width)}  RECORDS/s    SERIES       NEW`.padEnd(screen.columns))),
    );
    const shown = shownStreams(sample, view);
    const from = Math.max(0, view.selected - room + 1);
    shown
      .slice(from, from + Math.max(1, room))
      .forEach(({ stream, recordsPerSecond, series: size, newSeries }, i) => {
        const name = printable(stream.description.name);
        const text = name.length > width ? `${name.slice(0, width - 1)}~` : name.padEnd(width);
        const line = fit(
          `${text}${rateText(recordsPerSecond).padStart(11)}${String(size).padStart(10)}${`+${newSeries}`.padStart(10)}`,
        );
        lines.push(from + i === view.selected ? paint(1, line) : line);
      });
  }
  return lines;
}

interface Drawing {
  readonly fit: (text: string) => string;
  readonly paint: (code: number, text: string) => string;
  readonly room: number;
  readonly screen: Screen;
  readonly valueOf: (stream: MergedStream, series: number) => string;
}

/** The series of one metric that grow fastest. */
function openedLines(sample: Sample, view: View, { fit, paint, room, screen, valueOf }: Drawing): string[] {
  const stream = view.opened!;
  const { name, unit } = stream.description;
  const rates = sample.ratesOf(stream);
  const width = Math.max(20, screen.columns - 32);
  const order = Array.from({ length: rates.length }, (_, i) => i).sort(
    (a, b) => rates[b]! - rates[a]! || a - b,
  );
  return [
    paint(
      7,
      fit(
        `${printable(name)} (${printable(unit)})`.padEnd(width).slice(0, width) +
          '  RECORDS/s              VALUE',
      ),
    ),
    ...order.slice(0, Math.max(1, room)).map((series) => {
      const text = printable(JSON.stringify(stream.attributes[series]));
      const shown = text.length > width ? `${text.slice(0, width - 1)}~` : text.padEnd(width);
      return fit(`${shown}${rateText(rates[series]!).padStart(11)}${valueOf(stream, series).padStart(19)}`);
    }),
  ];
}

export function rateText(rate: number): string {
  return rate >= 100 || rate === 0 ? rate.toFixed(0) : rate.toFixed(1);
}
