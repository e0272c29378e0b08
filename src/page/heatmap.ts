import type { Point, StreamInfo } from '../exporter/page-protocol.ts';
import { h } from './dom.ts';
import { clock, number } from './format.ts';
import { exponentialBuckets } from './quantile.ts';

/** A column for so many seconds: one of a second alone is too narrow to be seen. */
const COLUMN_MILLIS = 5000;
const MAX_ROWS = 40;
const LABEL_WIDTH = 64;
const AXIS_HEIGHT = 22;
/** Room for half of the uppermost label. */
const TOP = 8;

interface Cells {
  /** Upper bounds, from the lowest; the last one may be infinite. */
  readonly bounds: readonly number[];
  readonly lows: readonly number[];
  /** By column and row: values in the bucket. */
  readonly columns: readonly (readonly number[])[];
  readonly from: number;
}

/** How often each range of values came, over time: the darker, the more. */
export class Heatmap {
  readonly element: HTMLElement;
  readonly #canvas: HTMLCanvasElement;
  readonly #tip: HTMLElement;
  readonly #height: number;
  readonly #format: (value: number) => string;
  #cells: Cells | undefined;

  constructor(height: number, format: (value: number) => string) {
    this.#height = height;
    this.#format = format;
    this.#canvas = h('canvas', { role: 'img', 'aria-label': 'Heat map of values over time' });
    this.#tip = h('div', { class: 'tip', hidden: true });
    this.element = h('div', { class: 'chart heatmap' }, this.#canvas, this.#tip);
    this.element.style.height = `${height}px`;
    this.#canvas.addEventListener('mousemove', (event) => this.#pointed(event.offsetX, event.offsetY));
    this.#canvas.addEventListener('mouseleave', () => (this.#tip.hidden = true));
  }

  show(
    info: StreamInfo,
    times: readonly number[],
    points: readonly (Point | undefined)[],
    [from, to]: readonly [number, number],
  ): void {
    const count = Math.max(1, Math.ceil((to - from) / COLUMN_MILLIS));
    const inColumns: Point[][] = Array.from({ length: count }, () => []);
    points.forEach((point, i) => {
      const column = Math.floor((times[i]! - from) / COLUMN_MILLIS);
      if (point !== undefined && column >= 0 && column < count) inColumns[column]!.push(point);
    });
    this.#cells =
      info.kind === 'histogram'
        ? explicitCells(info.bounds, inColumns, from)
        : exponentialCells(inColumns, from);
    this.#draw();
  }

  #draw(): void {
    const cells = this.#cells;
    const width = this.element.clientWidth;
    if (cells === undefined || width === 0) return;
    const canvas = this.#canvas;
    const ratio = window.devicePixelRatio;
    canvas.width = width * ratio;
    canvas.height = this.#height * ratio;
    canvas.style.width = `${width}px`;
    canvas.style.height = `${this.#height}px`;
    const context = canvas.getContext('2d')!;
    context.scale(ratio, ratio);
    const style = getComputedStyle(document.documentElement);
    context.font = '11px system-ui, sans-serif';
    context.fillStyle = style.getPropertyValue('--faint');
    const { columns, bounds } = cells;
    if (bounds.length === 0) {
      context.fillText('No values in this time.', LABEL_WIDTH, this.#height / 2);
      return;
    }
    const row = (this.#height - AXIS_HEIGHT - TOP) / bounds.length;
    const column = (width - LABEL_WIDTH) / columns.length;
    context.textAlign = 'right';
    const step = Math.ceil(16 / row);
    bounds.forEach((bound, i) => {
      if (i % step === 0 && Number.isFinite(bound))
        context.fillText(
          this.#format(bound),
          LABEL_WIDTH - 8,
          this.#height - AXIS_HEIGHT - (i + 1) * row + 4,
        );
    });
    context.textAlign = 'center';
    const every = Math.max(1, Math.ceil(90 / column));
    columns.forEach((_counts, i) => {
      if (i % every === 0 && i > 0 && i < columns.length - 3)
        context.fillText(clock(cells.from + i * COLUMN_MILLIS), LABEL_WIDTH + i * column, this.#height - 6);
    });
    const most = columns.reduce((max, counts) => Math.max(max, ...counts), 1);
    context.fillStyle = style.getPropertyValue('--line-1');
    columns.forEach((counts, x) =>
      counts.forEach((count, y) => {
        if (count === 0) return;
        // The root shows what is rare beside what is common.
        context.globalAlpha = 0.08 + 0.92 * Math.sqrt(count / most);
        context.fillRect(
          LABEL_WIDTH + x * column,
          this.#height - AXIS_HEIGHT - (y + 1) * row,
          Math.max(column - 1, 1),
          Math.max(row - 1, 1),
        );
      }),
    );
  }

  #pointed(x: number, y: number): void {
    const cells = this.#cells;
    const width = this.element.clientWidth;
    if (cells === undefined || cells.bounds.length === 0) return;
    const column = Math.floor(((x - LABEL_WIDTH) / (width - LABEL_WIDTH)) * cells.columns.length);
    const row = Math.floor(
      ((this.#height - AXIS_HEIGHT - y) / (this.#height - AXIS_HEIGHT - TOP)) * cells.bounds.length,
    );
    const count = cells.columns[column]?.[row];
    this.#tip.hidden = count === undefined;
    if (count === undefined) return;
    const high = cells.bounds[row]!;
    const low = cells.lows[row]!;
    const values = Number.isFinite(high)
      ? `${Number.isFinite(low) ? `${this.#format(low)} to ` : 'up to '}${this.#format(high)}`
      : `above ${this.#format(low)}`;
    const start = cells.from + column * COLUMN_MILLIS;
    this.#tip.replaceChildren(
      h('strong', {}, `${clock(start)} to ${clock(start + COLUMN_MILLIS)}`),
      h('span', {}, `${values} `, h('b', {}, number(count))),
    );
    const isRight = x > width / 2;
    this.#tip.style.left = isRight ? '' : `${x + 14}px`;
    this.#tip.style.right = isRight ? `${width - x + 14}px` : '';
  }
}

function explicitCells(bounds: readonly number[], inColumns: readonly Point[][], from: number): Cells {
  const columns = inColumns.map((points) => {
    const counts = Array.from({ length: bounds.length + 1 }, () => 0);
    for (const point of points) for (let i = 2; i < point.length; i += 2) counts[point[i]!]! += point[i + 1]!;
    return counts;
  });
  // Buckets above and below all values only make the others small.
  const used = bounds.map((_bound, i) => columns.some((counts) => counts[i]! > 0));
  used.push(columns.some((counts) => counts[bounds.length]! > 0));
  const first = Math.max(0, used.indexOf(true) - 1);
  const last = Math.min(bounds.length, used.lastIndexOf(true) + 1);
  const all = [...bounds, Infinity];
  if (!used.includes(true)) return { bounds: [], lows: [], columns: [], from };
  return {
    bounds: all.slice(first, last + 1),
    lows: [-Infinity, ...bounds].slice(first, last + 1),
    columns: columns.map((counts) => counts.slice(first, last + 1)),
    from,
  };
}

function exponentialCells(inColumns: readonly Point[][], from: number): Cells {
  const all = exponentialBuckets(inColumns.flat());
  if (all.length === 0) return { bounds: [], lows: [], columns: [], from };
  // Neighbours are taken together until there are few enough rows.
  const size = Math.ceil(all.length / MAX_ROWS);
  const rows = Array.from({ length: Math.ceil(all.length / size) }, (_none, i) => ({
    low: all[i * size]!.low,
    high: all[Math.min(all.length, (i + 1) * size) - 1]!.high,
  }));
  const columns = inColumns.map((points) => {
    const counts = rows.map(() => 0);
    for (const { low, high, count } of exponentialBuckets(points)) {
      const middle = (low + high) / 2;
      const row = rows.findIndex((one) => middle >= one.low && middle <= one.high);
      if (row >= 0) counts[row]! += count;
    }
    return counts;
  });
  return { bounds: rows.map(({ high }) => high), lows: rows.map(({ low }) => low), columns, from };
}
