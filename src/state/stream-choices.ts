/** What instruments, views and readers may choose of a stream. */

export const INSTRUMENT_KINDS = [
  'COUNTER',
  'GAUGE',
  'HISTOGRAM',
  'UP_DOWN_COUNTER',
  'OBSERVABLE_COUNTER',
  'OBSERVABLE_GAUGE',
  'OBSERVABLE_UP_DOWN_COUNTER',
] as const;
export type InstrumentKind = (typeof INSTRUMENT_KINDS)[number];

/** True for asynchronous instruments, whose cells hold observed values whatever the aggregation. */
export function isObserved(kind: InstrumentKind): boolean {
  return kind.startsWith('OBSERVABLE_');
}

/**
 * How the values that several live threads set in one series of a gauge are reported, as instruments and
 * views may ask for it.
 */
export const GAUGE_MERGES = ['most-recent', 'sum', 'min', 'max', 'per-writer'] as const;

/**
 * - `most-recent`: what was set last
 * - `sum`, `min`, `max` of what each thread set last
 * - `per-writer`: each thread's value by itself, with the attribute `thread.id`
 * - `shared`: one value that all writers set and add to, see `shared-value.ts`
 */
export type GaugeMerge = (typeof GAUGE_MERGES)[number] | 'shared';

/**
 * Which measurements of a series are kept (specification, ExemplarReservoir): at most `size` of all, or one a
 * histogram bucket, or as code of the app says that only its thread has.
 */
export type ReservoirChoice =
  { readonly type: 'fixed-size' | 'custom'; readonly size: number } | { readonly type: 'aligned-buckets' };

/** ... as a view may choose: or none at all. */
export type ViewReservoir = ReservoirChoice | { readonly type: 'none' };

/**
 * An aggregation as a view or a reader asks for it, before an instrument's kind and advice say what it comes
 * to.
 */
export type AggregationChoice =
  | { readonly type: 'default' | 'drop' | 'sum' | 'last-value' }
  | {
      readonly type: 'explicit-bucket-histogram';
      /** Ascending and finite. */
      readonly boundaries: readonly number[];
      readonly recordMinMax: boolean;
    }
  | {
      readonly type: 'exponential-histogram';
      readonly maxSize: number;
      readonly maxScale: number;
      readonly recordMinMax: boolean;
    };

/** What readers want, by instrument kind. */
export type Selections = Readonly<Record<InstrumentKind, readonly AggregationChoice[]>>;

export const DEFAULT_CHOICE: AggregationChoice = { type: 'default' };

/** Equal for equal choices: names a reader's choice in the streams that were made for it. */
export function selectionKey(choice: AggregationChoice): string {
  switch (choice.type) {
    case 'explicit-bucket-histogram':
      return JSON.stringify([choice.type, choice.boundaries, choice.recordMinMax]);
    case 'exponential-histogram':
      return JSON.stringify([choice.type, choice.maxSize, choice.maxScale, choice.recordMinMax]);
    default:
      return choice.type;
  }
}

export const DEFAULT_SELECTION: string = selectionKey(DEFAULT_CHOICE);

/**
 * The selection whose streams a reader shows for instruments of a kind. Its own, if the store's publisher has
 * it; else nobody records for it, and it gets the default or, where nobody wants that, what the publisher's
 * first reader gets.
 */
export function shownSelection(
  selections: Selections | undefined,
  kind: InstrumentKind,
  wanted: string,
): string {
  const recorded = (selections?.[kind] ?? [DEFAULT_CHOICE]).map(selectionKey);
  if (recorded.includes(wanted)) return wanted;
  return recorded.includes(DEFAULT_SELECTION) ? DEFAULT_SELECTION : recorded[0]!;
}

/**
 * One step of what a view does to attributes: keeps some keys, leaves some out, or calls code that only its
 * thread has.
 */
export type AttributeStep =
  { readonly type: 'keep' | 'leave-out'; readonly keys: readonly string[] } | { readonly type: 'custom' };

/**
 * A view as the store's configuration carries it to other threads. The fields that are there select
 * instruments, all of them together; `stream` says what becomes of them.
 */
export interface ViewDescription {
  /** With `*` for any characters and `?` for one; compared without regard to case. */
  readonly instrumentName?: string;
  readonly instrumentType?: InstrumentKind;
  readonly instrumentUnit?: string;
  readonly meterName?: string;
  readonly meterVersion?: string;
  readonly meterSchemaUrl?: string;
  readonly stream: {
    readonly name?: string;
    readonly description?: string;
    readonly attributes: readonly AttributeStep[];
    /** Left out: what each reader wants. */
    readonly aggregation?: AggregationChoice;
    readonly cardinalityLimit?: number;
    /** Of gauges alone. Left out: what the instrument says. */
    readonly merge?: GaugeMerge;
    /** Left out: that of the aggregation. */
    readonly exemplarReservoir?: ViewReservoir;
  };
}
