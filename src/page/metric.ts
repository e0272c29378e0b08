import type { StreamInfo } from '../exporter/page-protocol.ts';
import { Chart, lineColour } from './chart.ts';
import { copyButton } from './copy.ts';
import { h, setText } from './dom.ts';
import { clock, exact, inUnit, isData, plural, rate, visible } from './format.ts';
import { Heatmap } from './heatmap.ts';
import { lineOf, linesOf, QUANTILE_SECONDS, ratesOf, type Line } from './lines.ts';
import { formatOf, kindOf, latestOf } from './metric-card.ts';
import type { Look } from './model.ts';
import { promqlOf } from './promql.ts';
import { REST } from './split-lines.ts';
import type { Context, View } from './view.ts';

const HEIGHT = 320;
const SMALL_HEIGHT = 150;

interface Shown {
  readonly times: readonly number[];
  readonly lines: readonly Line[];
}

/** One metric: its chart, what its lines are now or under the pointer, and splits by its attributes. */
export class Metric implements View {
  readonly title: string;
  readonly element: HTMLElement;
  readonly #context: Context;
  readonly #info: StreamInfo;
  readonly #chart: Chart;
  readonly #counts: Chart | undefined;
  readonly #heatmap: Heatmap | undefined;
  readonly #rows = h('tbody');
  readonly #when = h('caption');
  readonly #zoomed = h('p', { class: 'faint zoomed', role: 'status' });
  readonly #query = h('code');
  readonly #hidden = new Set<string>();
  /** Place of the attribute in `keys`. */
  #key: number | undefined;
  #point: number | undefined;
  #shown: Shown = { times: [], lines: [] };

  constructor(context: Context, info: StreamInfo) {
    this.#context = context;
    this.#info = info;
    this.title = visible(info.name);
    const onZoom = (from: number, to: number): void => context.shell.zoom(from, to);
    this.#chart = new Chart({
      height: HEIGHT,
      isBinary: isData(info.unit),
      format: (amount) => formatOf(info, this.#shown.lines)(amount),
      onZoom,
      onPoint: (index) => {
        this.#point = index;
        this.#updateRows();
      },
    });
    this.#chart.element.tabIndex = 0;
    this.#chart.element.setAttribute('role', 'group');
    this.#chart.element.setAttribute('aria-label', `Chart of ${this.title}. Arrow keys read out the values.`);
    const isHistogram = info.kind === 'histogram' || info.kind === 'exponential';
    if (isHistogram) {
      this.#counts = new Chart({ height: SMALL_HEIGHT, format: (amount) => rate(amount, ''), onZoom });
      this.#heatmap = new Heatmap(220, (amount) => inUnit(amount, info.unit));
    }
    this.element = h(
      'div',
      { class: 'stack' },
      h('p', {}, h('a', { href: '#/metrics' }, '← All metrics')),
      h('div', { class: 'heading' }, h('h2', {}, this.title), h('span', { class: 'faint' }, this.#facts())),
      info.description !== '' && h('p', { class: 'description' }, visible(info.description)),
      h('div', { class: 'tools' }, this.#splitChoice(), this.#zoomed),
      h('div', { class: 'panel' }, this.#chart.element, this.#table()),
      this.#counts &&
        h('section', {}, h('h3', {}, 'Values recorded'), h('div', { class: 'panel' }, this.#counts.element)),
      this.#heatmap &&
        h(
          'section',
          {},
          h('h3', {}, 'How values are spread'),
          h('div', { class: 'panel' }, this.#heatmap.element),
        ),
      h(
        'section',
        {},
        h('h3', {}, 'As PromQL'),
        h(
          'div',
          { class: 'panel query' },
          this.#query,
          copyButton(() => this.#query.textContent ?? '', context.say),
        ),
      ),
    );
  }

  #facts(): string {
    const { unit, scope, series } = this.#info;
    return [
      kindOf(this.#info),
      unit !== '' && `unit ${visible(unit)}`,
      `meter ${visible(scope) || '(unnamed)'}`,
      plural(series, 'series', 'series'),
      this.#counts !== undefined && `quantiles over ${QUANTILE_SECONDS} s`,
    ]
      .filter(Boolean)
      .join(' · ');
  }

  #splitChoice(): HTMLElement {
    const choice = h(
      'select',
      {
        id: 'split',
        onchange: () => {
          this.#key = choice.value === '' ? undefined : Number(choice.value);
          this.#hidden.clear();
          this.#context.model.look(this.look());
          this.update();
        },
      },
      h('option', { value: '' }, 'nothing'),
      ...this.#info.keys
        .map(([key], place) => ({ key, place }))
        .sort((a, b) => (a.key < b.key ? -1 : 1))
        .map(({ key, place }) => h('option', { value: place }, visible(key))),
    );
    return h('label', { for: 'split' }, 'Split by ', choice);
  }

  #table(): HTMLElement {
    return h(
      'div',
      { class: 'scroll' },
      h(
        'table',
        { class: 'legend' },
        this.#when,
        h(
          'thead',
          {},
          h(
            'tr',
            {},
            h('th', { scope: 'col' }, 'Line'),
            h('th', { scope: 'col', class: 'right' }, 'Value'),
            h('th', { scope: 'col', class: 'right' }, 'Exactly'),
            h('th', { scope: 'col', class: 'right' }, 'Lowest'),
            h('th', { scope: 'col', class: 'right' }, 'Highest'),
          ),
        ),
        this.#rows,
      ),
    );
  }

  look(): Look {
    const { id } = this.#info;
    return { streams: [id], split: this.#key === undefined ? undefined : { id, key: this.#key } };
  }

  update(): void {
    const { model, shell } = this.#context;
    const info = this.#info;
    const { times } = model.timeline;
    const points = model.timeline.rowOf(info.id) ?? [];
    this.#shown =
      this.#key === undefined ? { times, lines: linesOf(info, times, points) } : this.#splitLines();
    const visibleLines = this.#shown.lines.map((line) =>
      this.#hidden.has(line.label) ? { ...line, values: line.values.map(() => null) } : line,
    );
    const { range } = shell;
    const isBand = info.kind === 'gauge' && this.#key === undefined && visibleLines.length === 3;
    this.#chart.show({ times: this.#shown.times, lines: visibleLines, range, isBand });
    this.#counts?.show({
      times,
      lines: [{ label: 'values', values: ratesOf(times, points), isRate: true }],
      range,
    });
    this.#heatmap?.show(info, times, points, range);
    setText(this.#query, promqlOf(info, this.#key));
    setText(
      this.#zoomed,
      shell.isZoomed
        ? `${clock(range[0])} to ${clock(range[1])}. Escape shows all again.`
        : 'Drag over the chart to zoom.',
    );
    this.#updateRows();
  }

  #splitLines(): Shown {
    const { split } = this.#context.model;
    if (split === undefined || split.key !== this.#key || split.id !== this.#info.id)
      return { times: [], lines: [] };
    const lines = split.groups().map(({ name, points }) => {
      const label =
        name === REST
          ? `the rest (${plural(split.others, 'value')})`
          : name === null
            ? '(not set)'
            : visible(name);
      return lineOf(this.#info, label, split.times, points);
    });
    return { times: split.times, lines };
  }

  /** The values under the pointer, or the latest ones. */
  #updateRows(): void {
    const { times, lines } = this.#shown;
    const format = formatOf(this.#info, lines);
    const index = this.#point;
    setText(
      this.#when,
      index === undefined || times[index] === undefined ? 'Latest values' : `At ${clock(times[index])}`,
    );
    while (this.#rows.rows.length > lines.length) this.#rows.deleteRow(-1);
    lines.forEach((line, i) => {
      const row = this.#rows.rows[i] ?? this.#newRow();
      const amount = index === undefined ? latestOf(line) : (line.values[index] ?? null);
      const known = line.values.filter((one) => one !== null);
      const [name, shown, all, low, high] = row.cells;
      const button = name!.firstElementChild as HTMLElement;
      (button.firstElementChild as HTMLElement).style.background = lineColour(i);
      setText(button.lastElementChild!, line.label);
      button.setAttribute('aria-pressed', String(!this.#hidden.has(line.label)));
      setText(shown!, format(amount));
      setText(all!, exact(amount));
      setText(low!, format(known.length === 0 ? null : known.reduce((a, b) => Math.min(a, b))));
      setText(high!, format(known.length === 0 ? null : known.reduce((a, b) => Math.max(a, b))));
    });
  }

  #newRow(): HTMLTableRowElement {
    const label = h('span');
    const button = h(
      'button',
      {
        type: 'button',
        class: 'line-name',
        title: 'Show or hide',
        onclick: () => {
          const name = label.textContent ?? '';
          if (!this.#hidden.delete(name)) this.#hidden.add(name);
          this.update();
        },
      },
      h('i', { class: 'mark' }),
      label,
    );
    const cells = [1, 2, 3, 4].map(() => h('td', { class: 'right' }));
    const row = h('tr', {}, h('td', {}, button), ...cells);
    this.#rows.append(row);
    return row;
  }

  key(event: KeyboardEvent): boolean {
    if (event.key === 'Escape' && this.#context.shell.isZoomed) this.#context.shell.unzoom();
    else if (event.key === 'Escape') location.hash = '#/metrics';
    else if (
      event.target === this.#chart.element &&
      (event.key === 'ArrowLeft' || event.key === 'ArrowRight')
    )
      this.#step(event.key === 'ArrowLeft' ? -1 : 1);
    else return false;
    return true;
  }

  /** Goes to a neighbouring point, and reads it out. */
  #step(by: number): void {
    const { times, lines } = this.#shown;
    const last = times.length - 1;
    this.#point = Math.min(last, Math.max(0, (this.#point ?? last + 1) + by));
    const index = this.#point;
    this.#chart.point(index);
    const format = formatOf(this.#info, lines);
    const read = lines.map(({ label, values }) => `${label} ${format(values[index] ?? null)}`).join(', ');
    this.#context.say(`${clock(times[index] ?? 0)}: ${read}`);
    this.#updateRows();
  }

  close(): void {
    this.#chart.destroy();
    this.#counts?.destroy();
  }
}

/** Where there is no such metric, or not yet. */
export function noMetric(name: string): View {
  return {
    title: visible(name),
    element: h(
      'div',
      { class: 'stack' },
      h(
        'p',
        { class: 'panel' },
        `No metric ${visible(name)} has been recorded. `,
        h('a', { href: '#/metrics' }, 'All metrics'),
      ),
    ),
    update() {},
    look: () => ({ streams: [] }),
    close() {},
  };
}
