import type { Attributes } from '@opentelemetry/api';
import type { MetricColumn } from '../collect/rows/column.ts';
import { metricName, labelName } from '../export/prometheus-name.ts';
import { strategyOf, typeOf, type ExpositionOptions } from '../export/family-plan.ts';
import { OVERFLOW_ATTRIBUTES } from '../state/attributes.ts';
import type { Point, StreamInfo } from './page-protocol.ts';
import { PageSplit } from './page-split.ts';
import { STREAM_KINDS, tallyOf, type Tally } from './page-tally.ts';

const [OVERFLOW_KEY] = OVERFLOW_ATTRIBUTES.keys as [string];
/** Longer texts are cut off: they are shown to people. */
const TEXT_LENGTH = 1000;
const NAME_LENGTH = 250;
/** Attribute keys that are shown of a stream. */
const MAX_KEYS = 64;
/** New series are looked at for their keys at most this often. */
const FRAMES_BETWEEN_LESSONS = 3;
/** Minutes for which the number of series is kept. */
const MINUTES = 10;
const MINUTE_MILLIS = 60_000;

/** A stream as the page sees it: its points, what is known about it, and its splits. */
export class PageStream {
  readonly id: number;
  readonly column: MetricColumn;
  /** True for metrics of this package about itself. */
  readonly isOwn: boolean;
  /** By the place of the attribute's key; those that somebody looks at. */
  readonly splits: Map<number, PageSplit> = new Map();
  /** The latest point of a level or gauge. */
  latest: Point | undefined;
  /** The version of the list of streams at which this one changed last. */
  version = 0;
  hasOverflow = false;
  readonly #exposition: ExpositionOptions;
  readonly #tally: Tally;
  readonly #keys = new Set<string>();
  readonly #minutes: number[] = [];
  #minute = 0;
  #collecting: Attributes[] | undefined;
  #collected: Attributes[] | undefined;
  #rows = 0;
  #frames = 0;
  /** New series may be in any row: one that was reserved early may be used late. */
  #hasNewSeries = false;
  /** Whether keys are looked at in this frame. */
  #isLearning = true;
  #series = 0;
  #isBase: boolean;

  /** `isBase`: the stream may have been there before anybody looked. */
  constructor(
    id: number,
    column: MetricColumn,
    exposition: ExpositionOptions,
    isOwn: boolean,
    isBase: boolean,
  ) {
    this.id = id;
    this.column = column;
    this.#exposition = exposition;
    this.isOwn = isOwn;
    this.#isBase = isBase;
    this.#tally = tallyOf(column.description);
  }

  /** Series in the latest frame. */
  get series(): number {
    return this.#series;
  }

  /** Series it had ten minutes ago, or when it was first seen. */
  get seriesBefore(): number {
    return this.#minutes[0] ?? this.#series;
  }

  /**
   * The attributes of all its series, if the frame before this call collected them. Otherwise the next frame
   * does.
   */
  takeAttributes(): readonly Attributes[] | undefined {
    const collected = this.#collected;
    this.#collected = undefined;
    if (collected === undefined) this.#collecting = [];
    return collected;
  }

  /** Adds rows of the frame. */
  add(column: MetricColumn): void {
    const { values, stride, rows, attributes } = column;
    for (let row = 0; row < rows; row++) this.#tally.add(values, row * stride);
    if (this.#isLearning) for (let row = 0; row < rows; row++) this.#learn(attributes[row]!);
    this.#rows += rows;
    for (const split of this.splits.values()) split.add(column);
    if (this.#collecting !== undefined)
      for (let row = 0; row < rows; row++) this.#collecting.push(attributes[row]!);
  }

  /** Ends the frame. `hasChanged`: whether what `info` says has. */
  close(t: number): { readonly point: Point | undefined; readonly hasChanged: boolean } {
    const hasChanged = this.#rows !== this.#series || this.#isLearning;
    this.#hasNewSeries = (this.#hasNewSeries && !this.#isLearning) || this.#rows !== this.#series;
    this.#isLearning = this.#hasNewSeries && ++this.#frames % FRAMES_BETWEEN_LESSONS === 0;
    this.#series = this.#rows;
    this.#rows = 0;
    this.#collected = this.#collecting ?? this.#collected;
    this.#collecting = undefined;
    const minute = Math.floor(t / MINUTE_MILLIS);
    if (minute !== this.#minute) {
      this.#minute = minute;
      this.#minutes.push(this.#series);
      if (this.#minutes.length > MINUTES) this.#minutes.shift();
    }
    const point = this.#tally.close(this.#isBase);
    this.#isBase = false;
    return { point, hasChanged };
  }

  #learn(attributes: Attributes): void {
    if (Object.hasOwn(attributes, OVERFLOW_KEY)) this.hasOverflow = true;
    else if (this.#keys.size < MAX_KEYS) for (const key of Object.keys(attributes)) this.#keys.add(key);
  }

  /** Begins to split the stream, unless there is no attribute in this place. */
  split(place: number): void {
    const key = [...this.#keys][place];
    if (key !== undefined && !this.splits.has(place)) this.splits.set(place, new PageSplit(place, key));
  }

  info(): StreamInfo {
    const { scope, name, unit, kind, boundaries } = this.column.description;
    const strategy = strategyOf(scope, this.#exposition);
    const { base, typeSuffix } = metricName(
      name,
      this.#exposition.withoutUnits === true ? '' : unit,
      typeOf(kind),
      strategy,
    );
    return {
      id: this.id,
      name: cut(name, NAME_LENGTH),
      unit: cut(unit, NAME_LENGTH),
      description: cut(this.column.text, TEXT_LENGTH),
      scope: cut(scope.name, NAME_LENGTH),
      kind: STREAM_KINDS[kind],
      bounds: boundaries,
      prometheus: base + typeSuffix,
      keys: [...this.#keys].map((key) => [cut(key, NAME_LENGTH), cut(labelName(key, strategy), NAME_LENGTH)]),
      series: this.#series,
      isOwn: this.isOwn,
    };
  }
}

function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length)}…` : text;
}
