import uPlot from 'uplot';
import { h } from './dom.ts';
import { clock, minute, visible } from './format.ts';
import type { Line } from './lines.ts';

export interface ChartOptions {
  readonly height: number;
  /** Without an axis of time. */
  readonly isSmall?: boolean;
  /** Whether steps are powers of two, as for bytes. */
  readonly isBinary?: boolean;
  /** Values as people read them. */
  readonly format: (value: number | null) => string;
  /** Somebody has chosen a time, in milliseconds since the epoch. */
  readonly onZoom?: (from: number, to: number) => void;
  /** The point under the pointer, or undefined. */
  readonly onPoint?: (index: number | undefined) => void;
}

/** What a chart shows. `range`: milliseconds since the epoch. */
export interface ChartData {
  readonly times: readonly number[];
  readonly lines: readonly Line[];
  readonly range: readonly [from: number, to: number];
  /** Fills what lies between the second line and the third: the lowest and the highest value. */
  readonly isBand?: boolean;
}

const SYNC = uPlot.sync('time');
const MAX_COLOURS = 10;
const BINARY_STEPS = Array.from({ length: 60 }, (_none, i) => 2 ** i);

function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/** The colour of a line; the rest of a split is grey. */
export function lineColour(index: number): string {
  return colour(index < MAX_COLOURS ? `line-${index + 1}` : 'faint');
}

/** Lines over time. What it shows may change as often as one likes; it draws itself once for each change. */
export class Chart {
  readonly element: HTMLElement;
  readonly #options: ChartOptions;
  readonly #tip: HTMLElement;
  readonly #size: ResizeObserver;
  #plot: uPlot | undefined;
  #data: ChartData | undefined;
  #form = '';

  constructor(options: ChartOptions) {
    this.#options = options;
    this.#tip = h('div', { class: 'tip', hidden: true });
    this.element = h('div', { class: options.isSmall === true ? 'chart small' : 'chart' }, this.#tip);
    this.element.style.height = `${options.height}px`;
    this.#size = new ResizeObserver(() => this.#resize());
    this.#size.observe(this.element);
  }

  show(data: ChartData): void {
    this.#data = data;
    if (this.element.clientWidth === 0) return; // not on the screen yet
    const theme = document.documentElement.dataset['theme'] ?? '';
    const form = JSON.stringify([data.lines.map(({ label }) => label), data.isBand, theme]);
    if (form !== this.#form) {
      this.#form = form;
      this.#plot?.destroy();
      this.#plot = new uPlot(this.#optionsFor(data), aligned(data), this.element);
    } else this.#plot!.setData(aligned(data), false);
    this.#plot!.batch(() => {
      this.#plot!.setScale('x', { min: data.range[0] / 1000, max: data.range[1] / 1000 });
    });
  }

  /** Puts the cursor on a point, for those who use no pointer. */
  point(index: number): void {
    const plot = this.#plot;
    const x = plot?.data[0]?.[index];
    if (plot === undefined || x === undefined) return;
    plot.setCursor({ left: plot.valToPos(x, 'x'), top: plot.height / 3 });
  }

  destroy(): void {
    this.#size.disconnect();
    this.#plot?.destroy();
  }

  #resize(): void {
    const { clientWidth: width } = this.element;
    if (width === 0) return;
    if (this.#plot === undefined) {
      if (this.#data !== undefined) this.show(this.#data);
    } else if (this.#plot.width !== width) this.#plot.setSize({ width, height: this.#options.height });
  }

  #optionsFor({ lines, isBand = false }: ChartData): uPlot.Options {
    const { height, isSmall = false, isBinary = false, format, onZoom } = this.#options;
    const grid = { stroke: colour('grid'), width: 1 };
    const axis = { stroke: colour('faint'), font: '11px system-ui, sans-serif', ticks: { show: false } };
    return {
      width: this.element.clientWidth,
      height,
      ms: 1e-3,
      padding: [8, isSmall ? 4 : 26, isSmall ? 6 : 0, 0],
      legend: { show: false },
      cursor: {
        sync: { key: SYNC.key },
        drag: { x: onZoom !== undefined, y: false, setScale: false },
        points: { size: 7 },
        y: false,
      },
      scales: { x: { time: true }, y: { range: (_plot, low, high) => rangeOf(low, high, lines) } },
      axes: [
        {
          ...axis,
          show: !isSmall,
          grid: { show: false },
          size: 26,
          values: (_plot, seconds, _axis, _space, step) =>
            seconds.map((second) => (step < 60 ? clock : minute)(second * 1000)),
          space: 80,
        },
        {
          ...axis,
          grid,
          size: 64,
          space: isSmall ? 34 : 40,
          gap: 6,
          ...(isBinary && { incrs: BINARY_STEPS }),
          values: (_plot, values) => values.map((value) => format(value)),
        },
      ],
      series: [
        {},
        ...lines.map(({ label }, i): uPlot.Series => {
          const stroke = lineColour(i);
          const isEdge = isBand && i > 0;
          return {
            label,
            stroke,
            width: isEdge ? 0.5 : 1.5,
            points: { show: false },
            ...(lines.length === 1 && { fill: `${stroke}1f` }),
          };
        }),
      ],
      ...(isBand && lines.length === 3 && { bands: [{ series: [3, 2], fill: `${lineColour(0)}26` }] }),
      hooks: {
        setCursor: [(plot) => this.#pointed(plot)],
        setSelect: [
          (plot) => {
            const { left, width } = plot.select;
            if (width < 4 || onZoom === undefined) return;
            onZoom(1000 * plot.posToVal(left, 'x'), 1000 * plot.posToVal(left + width, 'x'));
            plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          },
        ],
      },
    };
  }

  /** Shows the values under the pointer. */
  #pointed(plot: uPlot): void {
    const index = plot.cursor.idx ?? undefined;
    const { left = -1 } = plot.cursor;
    this.#options.onPoint?.(left < 0 ? undefined : index);
    const data = this.#data;
    const isOver = plot.over.matches(':hover');
    this.#tip.hidden = !isOver || left < 0 || index === undefined || data === undefined;
    if (this.#tip.hidden) return;
    this.#tip.replaceChildren(
      h('strong', {}, clock(data!.times[index!]!)),
      ...data!.lines.map(({ label, values }, i) => {
        const mark = h('i', { class: 'mark' });
        mark.style.background = lineColour(i);
        return h(
          'span',
          {},
          mark,
          `${visible(label)} `,
          h('b', {}, this.#options.format(values[index!] ?? null)),
        );
      }),
    );
    const isRight = left > plot.over.clientWidth / 2;
    this.#tip.style.left = isRight ? '' : `${plot.over.offsetLeft + left + 14}px`;
    this.#tip.style.right = isRight ? `${plot.over.clientWidth - left + 18}px` : '';
  }
}

function aligned({ times, lines }: ChartData): uPlot.AlignedData {
  return [times.map((time) => time / 1000), ...lines.map(({ values }) => values)];
}

/** Rates and quantiles begin at zero; other values have the room they need. */
function rangeOf(low: number | null, high: number | null, lines: readonly Line[]): [number, number] {
  if (low === null || high === null || !Number.isFinite(low) || !Number.isFinite(high)) return [0, 1];
  const isFromZero = low >= 0 && (lines.some(({ isRate }) => isRate) || low < high * 0.6 || low === high);
  if (isFromZero) return [0, high === 0 ? 1 : high * 1.1];
  const room = (high - low || Math.abs(high) || 1) * 0.1;
  return [low - room, high + room];
}
