/** The frame around the views: what time is shown, pause, colours. */
import { byId, h, setText } from './dom.ts';
import { plural, visible } from './format.ts';
import type { Model } from './model.ts';

const RANGES = [1, 3, 10];
const SHORTEST_MILLIS = 60_000;
const THEMES = ['auto', 'light', 'dark'] as const;
const THEME_KEY = 'seqlock-metrics-theme';

export class Shell {
  readonly #model: Model;
  readonly #onChange: () => void;
  #minutes = 10;
  #pausedAt: number | undefined;
  #zoom: readonly [from: number, to: number] | undefined;
  #theme: (typeof THEMES)[number] = 'auto';

  constructor(model: Model, onChange: () => void) {
    this.#model = model;
    this.#onChange = onChange;
    const ranges = byId('ranges');
    for (const minutes of RANGES)
      ranges.append(
        h(
          'button',
          { type: 'button', 'data-minutes': minutes, onclick: () => this.show(minutes) },
          `${minutes} min`,
        ),
      );
    byId('pause').addEventListener('click', () => this.pause());
    byId('theme').addEventListener('click', () => this.#nextTheme());
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#applyTheme());
    const kept = storedTheme();
    this.#theme = THEMES.find((theme) => theme === kept) ?? 'auto';
    this.#applyTheme();
    this.#update();
  }

  get isPaused(): boolean {
    return this.#pausedAt !== undefined;
  }

  get isZoomed(): boolean {
    return this.#zoom !== undefined;
  }

  /** What time is shown, in milliseconds since the epoch. */
  get range(): readonly [from: number, to: number] {
    if (this.#zoom !== undefined) return this.#zoom;
    const { latest, times } = this.#model.timeline;
    const to = this.#pausedAt ?? latest;
    // No empty room for a time of which nothing is known.
    const known = Math.min(times[0] ?? to, to - SHORTEST_MILLIS);
    return [Math.max(to - this.#minutes * 60_000, known), to];
  }

  show(minutes: number): void {
    this.#minutes = minutes;
    this.#zoom = undefined;
    this.#update();
    this.#onChange();
  }

  zoom(from: number, to: number): void {
    this.#zoom = [from, to];
    this.#update();
    this.#onChange();
  }

  unzoom(): void {
    this.#zoom = undefined;
    this.#update();
    this.#onChange();
  }

  /** Stops what is shown, or lets it go on. What happens meanwhile is not lost. */
  pause(): void {
    this.#pausedAt = this.isPaused ? undefined : this.#model.timeline.latest;
    this.#update();
    this.#onChange();
  }

  /** Shows what the model says of the app and of the link to it. */
  refresh(): void {
    const { status, isLinked } = this.#model;
    const name = visible(status.app?.name ?? '') || 'Metrics';
    setText(byId('app-name'), name);
    setText(byId('app-version'), visible(status.app?.version ?? ''));
    const attention = status.attention ?? [];
    const badge = byId('attention-badge');
    badge.hidden = attention.length === 0;
    setText(badge, String(attention.length));
    badge.title = `${plural(attention.length, 'thing')} to look at`;
    badge.classList.toggle(
      'bad',
      attention.some(({ level }) => level === 'bad'),
    );
    const pulse = byId('pulse');
    pulse.className = `pulse ${isLinked ? (this.isPaused ? 'paused' : 'live') : 'away'}`;
    pulse.title = isLinked ? (this.isPaused ? 'Paused' : 'Live') : 'The app cannot be reached. Trying again.';
    setText(pulse, pulse.title);
    const title = `${attention.length > 0 ? `(${attention.length}) ` : ''}${name} · metrics`;
    if (document.title !== title) document.title = title;
  }

  #update(): void {
    for (const button of byId('ranges').children)
      button.setAttribute(
        'aria-pressed',
        String(!this.isZoomed && Number((button as HTMLElement).dataset['minutes']) === this.#minutes),
      );
    const pause = byId('pause');
    setText(pause, this.isPaused ? 'Go on' : 'Pause');
    pause.setAttribute('aria-pressed', String(this.isPaused));
    setText(byId('theme'), { auto: 'Auto', light: 'Light', dark: 'Dark' }[this.#theme]);
    byId('theme').setAttribute('aria-label', `Colours: ${this.#theme}`);
  }

  #nextTheme(): void {
    this.#theme = THEMES[(THEMES.indexOf(this.#theme) + 1) % THEMES.length]!;
    try {
      localStorage.setItem(THEME_KEY, this.#theme);
    } catch {
      // Not kept where the browser keeps nothing.
    }
    this.#applyTheme();
    this.#update();
    this.#onChange();
  }

  #applyTheme(): void {
    const isDark =
      this.#theme === 'dark' ||
      (this.#theme === 'auto' && matchMedia('(prefers-color-scheme: dark)').matches);
    document.documentElement.dataset['theme'] = isDark ? 'dark' : 'light';
    this.#onChange();
  }
}

function storedTheme(): string | null {
  try {
    return localStorage.getItem(THEME_KEY);
  } catch {
    return null;
  }
}
