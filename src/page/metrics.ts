import type { StreamInfo } from '../exporter/page-protocol.ts';
import { h, setText } from './dom.ts';
import { plural } from './format.ts';
import { MetricCard } from './metric-card.ts';
import type { Look } from './model.ts';
import type { Context, View } from './view.ts';

/** Cards this near to the screen are filled, so that none is empty when it comes. */
const MARGIN = '300px';

interface Slot {
  readonly info: StreamInfo;
  readonly element: HTMLElement;
  readonly text: string;
  card: MetricCard | undefined;
}

/** All metrics, as cards. Only those on the screen are filled, and only their points are sent. */
export class Metrics implements View {
  readonly title = 'Metrics';
  readonly element: HTMLElement;
  readonly #context: Context;
  readonly #list = h('div', { class: 'cards' });
  readonly #count = h('p', { class: 'faint', role: 'status' });
  readonly #search: HTMLInputElement;
  readonly #slots = new Map<number, Slot>();
  readonly #bySlot = new Map<Element, Slot>();
  readonly #onScreen: IntersectionObserver;
  #hasOwn = false;

  constructor(context: Context, query: string) {
    this.#context = context;
    this.#search = h('input', {
      type: 'search',
      placeholder: 'Find by name, unit, description or scope',
      'aria-label': 'Find metrics',
      autocomplete: 'off',
      spellcheck: 'false',
      value: query,
      oninput: () => this.#filter(),
    });
    const own = h('input', {
      type: 'checkbox',
      onchange: () => {
        this.#hasOwn = own.checked;
        this.#filter();
      },
    });
    this.element = h(
      'div',
      { class: 'stack' },
      h('h2', { class: 'visually-hidden' }, 'Metrics'),
      h('div', { class: 'tools' }, this.#search, h('label', {}, own, ' of this package'), this.#count),
      this.#list,
    );
    this.#onScreen = new IntersectionObserver((entries) => this.#moved(entries), { rootMargin: MARGIN });
  }

  look(): Look {
    const cards = [...this.#slots.values()].filter(({ card }) => card !== undefined);
    return { streams: cards.map(({ info }) => info.id).sort((a, b) => a - b) };
  }

  update(): void {
    const { streams } = this.#context.model;
    if (streams.size !== this.#slots.size) {
      for (const info of streams.values()) if (!this.#slots.has(info.id)) this.#add(info);
      this.#filter();
    }
    for (const { card } of this.#slots.values()) card?.update();
  }

  key(event: KeyboardEvent): boolean {
    if (event.key === '/') this.#search.focus();
    else if (event.key === 'Escape' && document.activeElement === this.#search) this.#search.blur();
    else return false;
    return true;
  }

  close(): void {
    this.#onScreen.disconnect();
    for (const { card } of this.#slots.values()) card?.close();
  }

  #add(info: StreamInfo): void {
    const element = h('div', { class: 'slot' });
    const text = `${info.name} ${info.unit} ${info.description} ${info.scope} ${info.kind}`.toLowerCase();
    const slot: Slot = { info, element, text, card: undefined };
    this.#slots.set(info.id, slot);
    this.#bySlot.set(element, slot);
    this.#onScreen.observe(element);
  }

  #filter(): void {
    const words = this.#search.value.toLowerCase().split(/\s+/);
    const found = [...this.#slots.values()]
      .filter(({ info, text }) => (this.#hasOwn || !info.isOwn) && words.every((word) => text.includes(word)))
      .sort((a, b) => (a.info.name < b.info.name ? -1 : 1));
    this.#list.replaceChildren(...found.map(({ element }) => element));
    setText(this.#count, found.length === 0 ? 'No metric found.' : plural(found.length, 'metric'));
  }

  #moved(entries: readonly IntersectionObserverEntry[]): void {
    for (const { target, isIntersecting } of entries) {
      const slot = this.#bySlot.get(target)!;
      if (isIntersecting && slot.card === undefined) {
        slot.card = new MetricCard(slot.info, this.#context);
        slot.element.replaceChildren(slot.card.element);
        slot.card.update();
      } else if (!isIntersecting && slot.card !== undefined) {
        slot.card.close();
        slot.card = undefined;
        slot.element.replaceChildren();
      }
    }
    this.#context.model.look(this.look());
  }
}
