import type { InstrumentKind } from './instrument-kind.ts';

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
