import { performance } from '../base/platform.ts';
import type { Warnings } from '../base/warnings.ts';
import type { NegotiatedFormat } from './accept.ts';
import type { ExpositionOptions } from './family-plan.ts';
import { PrometheusText } from './prometheus-text.ts';

/**
 * How many texts are kept between scrapes; each takes memory of its length. More than two scrapers with
 * different wishes are rare.
 */
const KEPT_TEXTS = 2;
/** A text that was not asked for in this time loses its place. */
const KEEP_MILLIS = 5 * 60_000;

/** Texts that are kept from scrape to scrape. */
export class TextShelf {
  readonly #options: ExpositionOptions;
  readonly #warnings: Warnings;
  readonly #kept = new Map<string, { readonly text: PrometheusText; usedAt: number }>();
  #passing: { readonly key: string; readonly text: PrometheusText } | undefined;

  constructor(options: ExpositionOptions, warnings: Warnings) {
    this.#options = options;
    this.#warnings = warnings;
  }

  has(key: string): boolean {
    return this.#kept.has(key);
  }

  /**
   * The text for a format: a kept one, or a new one. A new one is kept if a place is free or was not used for
   * long; otherwise it is for this batch only.
   */
  take(format: NegotiatedFormat): PrometheusText {
    const key = textKey(format);
    const now = performance.now();
    const known = this.#kept.get(key);
    if (known !== undefined) {
      known.usedAt = now;
      return known.text;
    }
    if (this.#passing?.key === key) return this.#passing.text;
    const dialect = { openMetrics: format.format === 'openmetrics', escaping: format.escaping };
    const text = new PrometheusText(dialect, this.#options, this.#warnings);
    for (const [other, { usedAt }] of this.#kept) if (now - usedAt > KEEP_MILLIS) this.#kept.delete(other);
    if (this.#kept.size < KEPT_TEXTS) this.#kept.set(key, { text, usedAt: now });
    else this.#passing = { key, text };
    return text;
  }

  endBatch(): void {
    this.#passing = undefined;
  }
}

/** Formats with one key have the same text, whatever their content type. */
export function textKey({ format, escaping }: NegotiatedFormat): string {
  return `${format} ${escaping}`;
}
