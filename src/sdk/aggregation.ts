import {
  type AggregationChoice,
  DEFAULT_CHOICE,
  isObserved,
  type InstrumentKind,
} from '../state/stream-choices.ts';
import { type Aggregation } from '../state/records.ts';

/** Default bounds of the specification's explicit bucket histogram aggregation. */
export const DEFAULT_BOUNDARIES: readonly number[] = [
  0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10000,
];

/** The properties of an instrument that decide about its aggregation. */
export interface AggregatedInstrument {
  readonly kind: InstrumentKind;
  /** Advised bucket bounds; only the default aggregation follows them. */
  readonly boundaries: readonly number[] | undefined;
}

/** The aggregation that a choice gives an instrument; undefined if its measurements are dropped. */
export function aggregationOf(
  { kind, boundaries }: AggregatedInstrument,
  choice: AggregationChoice,
): Aggregation | undefined {
  switch (choice.type) {
    case 'default':
      return defaultAggregation(kind, boundaries);
    case 'drop':
      return undefined;
    case 'sum':
      return { type: 'sum', monotonic: isNeverNegative(kind) };
    case 'last-value':
      return { type: 'last-value' };
    case 'explicit-bucket-histogram':
      return { ...choice, hasSum: isNeverNegative(kind) };
    case 'exponential-histogram':
      return { ...choice, hasSum: isNeverNegative(kind), negative: !isNeverNegative(kind) };
  }
}

/** Specification, default aggregation. */
function defaultAggregation(kind: InstrumentKind, boundaries: readonly number[] | undefined): Aggregation {
  switch (kind) {
    case 'COUNTER':
    case 'OBSERVABLE_COUNTER':
    case 'UP_DOWN_COUNTER':
    case 'OBSERVABLE_UP_DOWN_COUNTER':
      return { type: 'sum', monotonic: isNeverNegative(kind) };
    case 'GAUGE':
    case 'OBSERVABLE_GAUGE':
      return { type: 'last-value' };
    case 'HISTOGRAM':
      return {
        type: 'explicit-bucket-histogram',
        boundaries: boundaries ?? DEFAULT_BOUNDARIES,
        recordMinMax: true,
        hasSum: true,
      };
  }
}

/** Sums of such instruments are monotonic, and their histograms have a sum (specification, aggregation). */
function isNeverNegative(kind: InstrumentKind): boolean {
  return kind === 'COUNTER' || kind === 'OBSERVABLE_COUNTER' || kind === 'HISTOGRAM';
}

/**
 * False if a choice makes no sense for a kind: callbacks observe totals and levels, not distributions
 * (specification, view).
 */
export function isPossible(choice: AggregationChoice, kind: InstrumentKind): boolean {
  return !(isObserved(kind) && isHistogram(choice));
}

function isHistogram({ type }: AggregationChoice): boolean {
  return type === 'explicit-bucket-histogram' || type === 'exponential-histogram';
}

/** Replaces a choice by the default choice if both give the same, so that a stream is not kept twice. */
export function simplified(choice: AggregationChoice, kind: InstrumentKind): AggregationChoice {
  const byDefault = defaultAggregation(kind, undefined).type;
  return choice.type === byDefault && !isHistogram(choice) ? DEFAULT_CHOICE : choice;
}
