import type {
  Attention,
  DeliveryStatus,
  Status,
  StreamInfo,
  ThreadStatus,
} from '../exporter/page-protocol.ts';
import { h } from './dom.ts';
import { bytes, clock, date, duration, number, plural, visible } from './format.ts';
import { addressOf, MetricCard } from './metric-card.ts';
import type { Look } from './model.ts';
import type { Context, View } from './view.ts';

/** Metrics that are shown by a chart. */
const CHARTS = 6;
const STATES = {
  turning: 'responsive',
  waiting: 'blocked: waits',
  busy: 'blocked: computes',
  unknown: 'not known',
} as const;

/** The app at a glance: what needs attention first. */
export class Overview implements View {
  readonly title = 'Overview';
  readonly element: HTMLElement;
  readonly #context: Context;
  readonly #attention = h('ul', { class: 'attention', 'aria-label': 'What needs attention' });
  readonly #tiles = h('dl', { class: 'tiles' });
  readonly #charts = h('div', { class: 'cards' });
  readonly #threads = h('div', { class: 'panel scroll' });
  readonly #deliveries = h('div', { class: 'panel scroll' });
  readonly #resource = h('dl', { class: 'panel pairs' });
  #cards: MetricCard[] = [];
  #shown = new Map<HTMLElement, string>();

  constructor(context: Context) {
    this.#context = context;
    this.element = h(
      'div',
      { class: 'stack' },
      h('h2', { class: 'visually-hidden' }, 'Overview'),
      this.#attention,
      this.#tiles,
      h('section', {}, h('h2', {}, 'Key metrics'), this.#charts),
      h('section', {}, h('h2', {}, 'Threads'), this.#threads),
      h('section', {}, h('h2', {}, 'Scrapes and pushes'), this.#deliveries),
      h('section', {}, h('h2', {}, 'Resource'), this.#resource),
    );
  }

  look(): Look {
    return { streams: this.#cards.map(({ id }) => id), status: true };
  }

  update(): void {
    const { status, streams } = this.#context.model;
    this.#replace(this.#attention, status.attention, attentionItems(status.attention ?? [], streams));
    this.#replace(this.#threads, status.threads, [threadTable(status.threads ?? [])]);
    const seconds = Math.floor(Date.now() / 1000);
    this.#replace(this.#tiles, [status.store, status.threads, status.history, seconds], tiles(status));
    this.#replace(this.#deliveries, [status.deliveries, seconds], deliveryList(status.deliveries ?? []));
    this.#replace(this.#resource, status.app, resourceItems(status));
    this.#chooseCards();
    for (const card of this.#cards) card.update();
  }

  close(): void {
    for (const card of this.#cards) card.close();
  }

  /**
   * Replaces what an element shows, where `data` is not what it showed before: nothing flickers or loses
   * focus.
   */
  #replace(element: HTMLElement, data: unknown, children: readonly Node[]): void {
    const text = JSON.stringify(data) ?? '';
    if (this.#shown.get(element) === text) return;
    this.#shown.set(element, text);
    element.replaceChildren(...children);
  }

  /** Chosen once: charts that change places would be no help. */
  #chooseCards(): void {
    const { streams } = this.#context.model;
    if (this.#cards.length >= CHARTS || streams.size === 0) return;
    const chosen = new Set(this.#cards.map(({ id }) => id));
    const wanted = [...streams.values()]
      .filter(({ isOwn, id }) => !isOwn && !chosen.has(id))
      .sort((a, b) => rank(a) - rank(b) || b.series - a.series || a.id - b.id)
      .slice(0, CHARTS - this.#cards.length);
    for (const info of wanted) {
      const card = new MetricCard(info, this.#context);
      this.#cards.push(card);
      this.#charts.append(card.element);
    }
  }
}

/** Request durations are what people look for first, then what is counted. */
function rank({ name, kind }: StreamInfo): number {
  const isHistogram = kind === 'histogram' || kind === 'exponential';
  if (isHistogram && /duration|latency|time/i.test(name)) return 0;
  return isHistogram ? 1 : kind === 'counter' ? 2 : 3;
}

function attentionItems(attention: readonly Attention[], streams: ReadonlyMap<number, StreamInfo>): Node[] {
  if (attention.length === 0)
    return [
      h(
        'li',
        { class: 'good' },
        h('strong', {}, 'Nothing needs attention'),
        h('span', {}, 'All threads turn, all deliveries arrive, and no series overflow.'),
      ),
    ];
  return attention.map(({ level, what, since, advice, stream }) => {
    const info = stream === undefined ? undefined : streams.get(stream);
    return h(
      'li',
      { class: level },
      h('strong', {}, `${visible(what)}${since === undefined ? '' : ` since ${clock(since)}`}`),
      h(
        'span',
        {},
        visible(advice),
        ' ',
        info !== undefined && h('a', { href: addressOf(info) }, 'Show the metric'),
      ),
    );
  });
}

function tile(
  name: string,
  value: string,
  note: string,
  meter?: { value: number; max: number },
): HTMLElement {
  return h(
    'div',
    { class: 'tile' },
    h('dt', {}, name),
    h('dd', { class: 'figure' }, value),
    meter !== undefined &&
      h(
        'dd',
        {},
        h('meter', { min: 0, max: meter.max, value: meter.value, high: 0.9 * meter.max, 'aria-label': name }),
      ),
    h('dd', { class: 'faint' }, note),
  );
}

function tiles({ store, threads = [], history, app }: Partial<Status>): Node[] {
  if (store === undefined || app === undefined) return [];
  const rate = threads.reduce((sum, thread) => sum + thread.rate, 0);
  const blocked = threads.filter((thread) => thread.blocked > 0).length;
  const processes = new Set(threads.map(({ process }) => process)).size;
  const up = h('time', { datetime: new Date(app.since).toISOString() }, date(app.since));
  return [
    tile('Recorded', `${number(rate)}/s`, 'measurements, by all threads'),
    tile('Series', number(store.series), `in ${plural(store.metrics, 'metric')}`),
    tile('Store', bytes(store.used), `of ${bytes(store.max)}`, { value: store.used, max: store.max }),
    tile(
      'Threads',
      number(threads.length),
      [
        processes > 1 && plural(processes, 'process', 'processes'),
        blocked > 0 ? `${blocked} blocked` : 'none blocked',
        store.dead > 0 && `${number(store.dead)} ended`,
      ]
        .filter(Boolean)
        .join(' · '),
    ),
    tile(
      'Overflow',
      number(store.overflow),
      store.lost > 0
        ? `${number(store.lost)} measurements lost`
        : `${store.overflow === 1 ? 'metric' : 'metrics'} · nothing lost`,
    ),
    tile(
      'History',
      duration(history?.seconds),
      `${bytes(history?.bytes)} of ${bytes(history?.maxBytes)}${(history?.every ?? 0) > 1000 ? `, each ${duration(history!.every / 1000)}` : ''}`,
    ),
    h(
      'div',
      { class: 'tile' },
      h('dt', {}, 'Recording for'),
      h('dd', { class: 'figure' }, duration(Math.floor((Date.now() - app.since) / 1000))),
      h('dd', { class: 'faint' }, 'since ', up, store.directory !== null && `, ${visible(store.directory)}`),
    ),
  ];
}

function threadTable(threads: readonly ThreadStatus[]): HTMLElement {
  if (threads.length === 0) return h('p', { class: 'faint' }, 'No thread has recorded yet.');
  const hasProcesses = threads.some(({ process }) => process !== null);
  return h(
    'table',
    {},
    h(
      'thead',
      {},
      h(
        'tr',
        {},
        hasProcesses && h('th', { scope: 'col' }, 'Process'),
        h('th', { scope: 'col' }, 'Thread'),
        h('th', { scope: 'col' }, 'Event loop'),
        h('th', { scope: 'col', class: 'right' }, 'Blocked'),
        h('th', { scope: 'col', class: 'right' }, 'Recorded'),
      ),
    ),
    h(
      'tbody',
      {},
      ...threads.map(({ process, thread, state, blocked, rate }) =>
        h(
          'tr',
          { class: blocked >= 1 ? 'bad' : null },
          hasProcesses && h('td', {}, process ?? ''),
          h('td', {}, thread === 0 ? 'main' : thread),
          h('td', {}, h('span', { class: `state ${blocked >= 1 ? 'blocked' : state}` }, STATES[state])),
          h('td', { class: 'right' }, blocked > 0 ? duration(Math.round(blocked * 10) / 10) : '–'),
          h('td', { class: 'right' }, `${number(rate)}/s`),
        ),
      ),
    ),
  );
}

function deliveryList(deliveries: readonly DeliveryStatus[]): Node[] {
  return deliveries.map(({ name, at, millis, bytes: size, failures, reason, failingSince }) =>
    h(
      'p',
      { class: reason === null ? 'delivery' : 'delivery bad' },
      h('strong', {}, visible(name)),
      h(
        'span',
        {},
        at === null ? 'not yet' : `last ${ago(at)}`,
        millis !== null && `, took ${duration(millis / 1000)}`,
        size !== null && `, ${bytes(size)}`,
        reason !== null &&
          `. Fails since ${clock(failingSince!)} (${plural(failures, 'time')}): ${visible(reason)}`,
      ),
    ),
  );
}

function ago(millis: number): string {
  return `${duration(Math.max(0, Math.floor((Date.now() - millis) / 1000)))} ago`;
}

function resourceItems({ app }: Partial<Status>): Node[] {
  if (app === undefined) return [];
  if (app.resource.length === 0) return [h('p', { class: 'faint' }, 'The app has not said what it is.')];
  return app.resource.flatMap(([key, text]) => [h('dt', {}, visible(key)), h('dd', {}, visible(text))]);
}
