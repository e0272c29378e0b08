import { selectionKey, type AggregationChoice } from '../state/aggregation-choice.ts';
import type { StoreConfiguration } from '../state/records.ts';
import type { InstrumentDescriptor } from './instrument-descriptor.ts';

/** A stream that an instrument is to have. */
export interface StreamPlan {
  readonly instrument: InstrumentDescriptor;
  readonly name: string;
  readonly description: string;
  readonly aggregation: AggregationChoice;
  /** See `StreamDescription`. */
  readonly selection: string | undefined;
}

/** The streams of an instrument: one for each aggregation that readers want of its kind. */
export function planStreams(
  instrument: InstrumentDescriptor,
  { selections }: Pick<StoreConfiguration, 'selections'>,
): StreamPlan[] {
  const { name, description, kind } = instrument;
  return selections[kind].map((aggregation) => ({
    instrument,
    name,
    description,
    aggregation,
    selection: selectionKey(aggregation),
  }));
}
