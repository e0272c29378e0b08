import type { MetricCardinality, StreamInfo } from '../exporter/page-protocol.ts';
import { copyButton } from './copy.ts';
import { h, setText } from './dom.ts';
import { bytes, number, plural, visible } from './format.ts';
import { addressOf } from './metric-card.ts';
import type { Look } from './model.ts';
import { viewWithout } from './promql.ts';
import type { Context, View } from './view.ts';

/** Dropping an attribute is proposed where it leaves at most this share of the series. */
const WORTHWHILE = 0.8;

/** Which metrics have the most series, by which attributes, and what dropping one would save. */
export class CardinalityView implements View {
  readonly title = 'Cardinality';
  readonly element: HTMLElement;
  readonly #context: Context;
  readonly #list = h('div', { class: 'stack' });
  readonly #summary = h('p', { class: 'faint', role: 'status' }, 'Counting…');
  readonly #open = new Set<string>();
  #shown = '';

  constructor(context: Context) {
    this.#context = context;
    this.element = h(
      'div',
      { class: 'stack' },
      h('h2', {}, 'Cardinality'),
      h(
        'p',
        { class: 'description' },
        'Each combination of attribute values is a series: it takes memory here and in every backend. These are the metrics with the most series, and what a view that drops an attribute would save.',
      ),
      this.#summary,
      this.#list,
    );
  }

  look(): Look {
    return { streams: [], cardinality: true, status: true };
  }

  update(): void {
    const { cardinality, streams, status } = this.#context.model;
    if (cardinality === undefined) return;
    const text = JSON.stringify(cardinality);
    if (text === this.#shown || this.#list.contains(document.activeElement)) return;
    this.#shown = text;
    const total = status.store?.series ?? 0;
    setText(
      this.#summary,
      `${plural(total, 'series', 'series')} in ${plural(status.store?.metrics ?? 0, 'metric')}. Attributes are counted every 10 s.`,
    );
    const most = Math.max(1, ...cardinality.metrics.map(({ series }) => series));
    this.#list.replaceChildren(
      ...cardinality.metrics.flatMap((metric) => {
        const info = streams.get(metric.id);
        return info === undefined ? [] : [this.#metric(metric, info, most)];
      }),
    );
  }

  #metric(metric: MetricCardinality, info: StreamInfo, most: number): HTMLElement {
    const growth = metric.series - metric.before;
    const bar = h('span', { class: 'bar-fill' });
    bar.style.inlineSize = `${(100 * metric.series) / most}%`;
    return h(
      'section',
      { class: 'panel' },
      h(
        'div',
        { class: 'heading' },
        h('h3', {}, h('a', { href: addressOf(info) }, visible(info.name))),
        h(
          'span',
          {},
          h('b', {}, plural(metric.series, 'series', 'series')),
          ` · about ${bytes(metric.series * metric.seriesBytes)}`,
          growth > 0 && h('span', { class: 'growth' }, ` · ▲ ${number(growth)} in the last 10 min`),
        ),
      ),
      h('span', { class: 'bar-track', 'aria-hidden': 'true' }, bar),
      metric.attributes.length > 0 && this.#attributes(metric, info),
    );
  }

  #attributes({ series, seriesBytes, attributes }: MetricCardinality, info: StreamInfo): HTMLElement {
    return h(
      'div',
      { class: 'scroll' },
      h(
        'table',
        {},
        h(
          'thead',
          {},
          h(
            'tr',
            {},
            h('th', { scope: 'col' }, 'Attribute'),
            h('th', { scope: 'col', class: 'right' }, 'Values'),
            h('th', { scope: 'col', class: 'right' }, 'Series without it'),
            h('th', { scope: 'col' }, 'Dropping it'),
          ),
        ),
        h(
          'tbody',
          {},
          ...attributes.map(({ key, values, without }) =>
            h(
              'tr',
              {},
              h('td', {}, h('code', {}, visible(key))),
              h('td', { class: 'right' }, number(values)),
              h('td', { class: 'right' }, number(without)),
              h(
                'td',
                {},
                without <= WORTHWHILE * series
                  ? this.#proposal(info.name, key, series - without, seriesBytes)
                  : h('span', { class: 'faint' }, 'saves little'),
              ),
            ),
          ),
        ),
      ),
    );
  }

  #proposal(name: string, key: string, saved: number, seriesBytes: number): HTMLElement {
    const line = viewWithout(name, key);
    const id = `${name}\0${key}`;
    const details = h(
      'details',
      {
        open: this.#open.has(id),
        ontoggle: () => (details.open ? this.#open.add(id) : this.#open.delete(id)),
      },
      h('summary', {}, `saves ${plural(saved, 'series', 'series')}, ${bytes(saved * seriesBytes)}`),
      h(
        'div',
        { class: 'query' },
        h('code', {}, line),
        copyButton(() => line, this.#context.say),
      ),
      h('p', { class: 'faint' }, 'A view of the provider: new SeqlockMeterProvider({ views: [ … ] })'),
    );
    return details;
  }

  close(): void {}
}
