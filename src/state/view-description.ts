import type { AggregationChoice } from './aggregation-choice.ts';
import type { GaugeMerge } from './gauge-merge.ts';
import type { InstrumentKind } from './instrument-kind.ts';
import type { ViewReservoir } from './reservoir-choice.ts';

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
