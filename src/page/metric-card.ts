import type { StreamInfo } from '../exporter/page-protocol.ts';
import { Chart } from './chart.ts';
import { h, setText } from './dom.ts';
import { inUnit, isData, plural, rate, visible } from './format.ts';
import { linesOf, type Line } from './lines.ts';
import type { Context } from './view.ts';

const KIND_NAMES = {
  counter: 'counter',
  level: 'up-down counter',
  gauge: 'gauge',
  histogram: 'histogram',
  exponential: 'exponential histogram',
} as const;

export function kindOf({ kind }: StreamInfo): string {
  return KIND_NAMES[kind];
}

/** Where a metric is on the page. */
export function addressOf({ name, scope }: StreamInfo): string {
  return `#/metric/${encodeURIComponent(name)}/${encodeURIComponent(scope)}`;
}

/** How values of a stream's lines are written. */
export function formatOf(info: StreamInfo, lines: readonly Line[]): (amount: number | null) => string {
  const isRate = lines[0]?.isRate === true;
  return (amount) => (isRate ? rate(amount, info.unit) : inUnit(amount, info.unit));
}

/** The latest value that a line has. */
export function latestOf({ values }: Line): number | null {
  return values.findLast((one) => one !== null) ?? null;
}

/** A metric at a glance: its name, its value now, and a small chart. */
export class MetricCard {
  readonly id: number;
  readonly element: HTMLAnchorElement;
  readonly #context: Context;
  readonly #value = h('span', { class: 'now' });
  readonly #note = h('span', { class: 'faint' });
  readonly #name = h('h3');
  readonly #chart: Chart;

  constructor(info: StreamInfo, context: Context) {
    this.id = info.id;
    this.#context = context;
    this.#chart = new Chart({
      height: 96,
      isSmall: true,
      isBinary: isData(info.unit),
      format: (amount) => formatOf(this.#info, this.#lines())(amount),
    });
    setText(this.#name, visible(info.name));
    this.#name.title = `${visible(info.name)}: ${visible(info.description)}`;
    this.element = h(
      'a',
      { class: 'card', href: addressOf(info) },
      h('span', { class: 'card-head' }, this.#name, this.#value),
      this.#note,
      this.#chart.element,
    );
  }

  get #info(): StreamInfo {
    return this.#context.model.streams.get(this.id)!;
  }

  #lines(): Line[] {
    const { timeline } = this.#context.model;
    return linesOf(this.#info, timeline.times, timeline.rowOf(this.id) ?? []);
  }

  update(): void {
    const info = this.#info;
    const { model, shell } = this.#context;
    const { times } = model.timeline;
    if (model.timeline.rowOf(this.id) === undefined) return;
    const lines = this.#lines();
    const format = formatOf(info, lines);
    const shown = info.kind === 'histogram' || info.kind === 'exponential' ? lines.at(-1)! : lines[0]!;
    const now = format(latestOf(shown));
    const label = lines.length > 1 ? `${shown.label} ` : '';
    setText(this.#value, `${label}${now}`);
    setText(this.#note, `${kindOf(info)} · ${plural(info.series, 'series', 'series')}`);
    this.element.setAttribute('aria-label', `${visible(info.name)}, ${kindOf(info)}: ${label}${now}`);
    this.#chart.show({
      times,
      lines,
      range: shell.range,
      isBand: info.kind === 'gauge' && lines.length === 3,
    });
  }

  close(): void {
    this.#chart.destroy();
  }
}
