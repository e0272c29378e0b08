import type { Attributes } from '@opentelemetry/api';
import { constants } from 'node:buffer';
import { LengthError } from '../base/errors.ts';
import { flag, oneOf, rule, table, type Check } from '../base/options.ts';
import { Warnings } from '../base/warnings.ts';
import type { MetricColumn, MetricColumns } from '../collect/rows/column.ts';
import { ClassicColumns } from './classic-buckets.ts';
import {
  planFamilies,
  targetAttributes,
  type Dialect,
  type ExpositionOptions,
  type FamilyPlan,
} from './family-plan.ts';
import { labelText, SharedLabels } from './label-text.ts';
import type { HeldBytes } from './page-chunk.ts';
import { TRANSLATION_STRATEGIES } from './prometheus-name.ts';
import { TextFamily, textContext, type TextContext } from './text-family.ts';

/** A whole text, which does not change until it is released. */
export interface TextBody {
  readonly length: number;
  readonly pieces: readonly Buffer[];
  release(): void;
}

/**
 * The Prometheus or OpenMetrics text of a store, kept from scrape to scrape: only what changed is rewritten.
 * It takes as much memory as the text is long, once. Belongs to one thread.
 */
export class PrometheusText {
  readonly #dialect: Dialect;
  readonly #options: ExpositionOptions;
  readonly #warnings: Warnings;
  #planned: { columns: readonly MetricColumn[]; texts: readonly string[]; resource: string } | undefined;
  readonly #classic = new ClassicColumns();
  #snapshot: MetricColumns | undefined;
  #families: TextFamily[] = [];
  /** How many families have all rows and numbers of the snapshot: the next slice continues behind them. */
  #grown = 0;
  #updated = 0;
  #target: Buffer = Buffer.alloc(0);

  constructor(dialect: Dialect, options: ExpositionOptions = {}, warnings: Warnings = new Warnings()) {
    this.#dialect = dialect;
    this.#options = options;
    this.#warnings = warnings;
  }

  /**
   * Makes the text of a snapshot. If `columns` is the same object as before, that snapshot is shown already.
   * False if it was not done when `performance.now()` was past `until`: then the text must not be shown, and
   * the next call for the snapshot continues. The columns must not change before that.
   */
  update(snapshot: MetricColumns, until: number = Infinity): boolean {
    if (snapshot !== this.#snapshot) {
      const source = this.#sourceOf(snapshot);
      if (!this.#isPlannedFor(source)) this.#plan(source);
      this.#snapshot = snapshot;
      this.#grown = this.#updated = 0;
    }
    const families = this.#families;
    for (; this.#grown < families.length; this.#grown++)
      if (!families[this.#grown]!.grow(until)) return false;
    for (; this.#updated < families.length; this.#updated++)
      if (!families[this.#updated]!.update(snapshot, until)) return false;
    return true;
  }

  /**
   * Columns with `le` columns in place of exponential ones, as they were when the snapshot was first seen.
   */
  #sourceOf({ columns, resource }: MetricColumns): MetricColumns {
    return { columns: columns.map((column) => this.#classic.of(column)), resource };
  }

  /** The text that was made last. The next `update` does not touch these bytes until they are released. */
  body(): TextBody {
    const held: HeldBytes[] = [];
    if (this.#target.length > 0) held.push({ bytes: this.#target, release: () => {} });
    for (const family of this.#families) family.hold(held);
    const pieces = held.map(({ bytes }) => bytes);
    if (this.#dialect.openMetrics) pieces.push(Buffer.from('# EOF\n'));
    return {
      length: pieces.reduce((sum, piece) => sum + piece.length, 0),
      pieces,
      release: () => {
        for (const one of held) one.release();
      },
    };
  }

  /** `body` as a string. Throws a `LengthError` if it has more than `maxBytes` bytes. */
  toString(maxBytes: number = constants.MAX_STRING_LENGTH): string {
    const body = this.body();
    try {
      if (body.length > maxBytes)
        throw new LengthError(
          `the Prometheus text has ${body.length} bytes, and a string can have ${maxBytes} at most. Serve it with createPrometheusHandler or an exporter thread, which send it in pieces, or record fewer series`,
        );
      return Buffer.concat(body.pieces, body.length).toString('utf8');
    } finally {
      body.release();
    }
  }

  #isPlannedFor({ columns, resource }: MetricColumns): boolean {
    const planned = this.#planned;
    return (
      planned !== undefined &&
      planned.columns.length === columns.length &&
      columns.every((column, i) => column === planned.columns[i] && column.text === planned.texts[i]) &&
      planned.resource === resourceKey(resource.attributes)
    );
  }

  #plan(source: MetricColumns): void {
    const { columns, resource } = source;
    const plan = planFamilies(source, this.#dialect, this.#options, this.#warnings);
    const key = resourceKey(resource.attributes);
    // Constant labels are in every line, so another resource changes every line.
    const reusable = new Map(
      this.#planned?.resource === key ? this.#families.map((family) => [family.name, family]) : [],
    );
    const context = textContext(resource.attributes, this.#dialect, this.#options, this.#warnings);
    this.#planned = { columns: [...columns], texts: columns.map(({ text }) => text), resource: key };
    this.#target = targetText(plan, targetAttributes(resource.attributes, this.#options), context);
    this.#families = plan.families.map((family) => {
      const known = reusable.get(family.name);
      return known?.isThatOf(family) === true ? known : new TextFamily(family, context);
    });
  }
}

function resourceKey(attributes: Attributes): string {
  try {
    return JSON.stringify(attributes);
  } catch {
    return '';
  }
}

function targetText({ targetInfo }: FamilyPlan, attributes: Attributes, { labels }: TextContext): Buffer {
  if (targetInfo === undefined) return Buffer.alloc(0);
  const { name, sampleName, type, help } = targetInfo;
  const text = labelText(labels.pairs(attributes, new SharedLabels()));
  const sample = text === '' ? sampleName : `${sampleName}{${text}}`;
  return Buffer.from(`# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${sample} 1\n`, 'utf8');
}

const resourceKeys = rule(
  'a RegExp or an array of resource attribute keys',
  (value) =>
    value instanceof RegExp || (Array.isArray(value) && value.every((key) => typeof key === 'string')),
);

/** What each option of an exposition may be. */
export const EXPOSITION_CHECKS: { readonly [K in keyof Required<ExpositionOptions>]: Check } = {
  translationStrategy: oneOf(TRANSLATION_STRATEGIES),
  withoutUnits: flag,
  scopeInfoEnabled: flag,
  targetInfoEnabled: flag,
  resourceConstantLabels: resourceKeys,
  targetInfoAttributes: resourceKeys,
  created: flag,
};

/** Checks an object that has options of an exposition only. */
export const checkExpositionOptions: Check = table<ExpositionOptions>(EXPOSITION_CHECKS, { prefix: '' });

/**
 * Prometheus text 0.0.4 as a string. It keeps the last text, and the next call with equal options updates it.
 */
export class PrometheusPage {
  readonly #maxBytes: number;
  #text: PrometheusText | undefined;
  #key = '';

  /** `maxBytes`: how many bytes the string may have. Default: what V8 allows, 512 MB. */
  constructor(maxBytes?: number) {
    this.#maxBytes = maxBytes ?? constants.MAX_STRING_LENGTH;
  }

  /** Throws an `OptionError` on a wrong option, and a `LengthError` if the text is too long for a string. */
  of(columns: MetricColumns, options: ExpositionOptions): string {
    checkExpositionOptions(options, 'options of exportPrometheus');
    const key = JSON.stringify(options, (_, value: unknown) =>
      value instanceof RegExp ? String(value) : value,
    );
    if (this.#text === undefined || this.#key !== key) {
      this.#text = new PrometheusText({ openMetrics: false, escaping: 'underscores' }, options);
      this.#key = key;
    }
    this.#text.update(columns);
    return this.#text.toString(this.#maxBytes);
  }
}
