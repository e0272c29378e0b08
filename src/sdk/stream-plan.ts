import { shortText } from '../base/errors.ts';
import type { Warnings } from '../base/warnings.ts';
import {
  selectionKey,
  type AggregationChoice,
  type Selections,
  type ViewReservoir,
  type GaugeMerge,
} from '../state/stream-choices.ts';
import type { Scope } from '../state/records.ts';
import { isPossible } from './aggregation.ts';
import { areEqual, type AttributeFilter } from './attribute-filter.ts';
import type { InstrumentDescriptor } from './instrument-descriptor.ts';
import type { View } from './view.ts';
import type { ExemplarReservoir } from './view-options.ts';

/** A stream that an instrument will have. */
export interface StreamPlan {
  readonly instrument: InstrumentDescriptor;
  readonly name: string;
  readonly description: string;
  readonly aggregation: AggregationChoice;
  /** See `StreamDescription`. */
  readonly selection: string | undefined;
  readonly viewIndex: number;
  readonly filter: AttributeFilter | undefined;
  /** Undefined: what readers want of this kind. */
  readonly cardinalityLimit: number | undefined;
  /** For gauges; undefined if not given. */
  readonly merge: GaugeMerge | undefined;
  /** Undefined: that of the aggregation. */
  readonly exemplarReservoir: ViewReservoir | undefined;
  /** Of a custom reservoir; undefined where only another thread has its code. */
  readonly createReservoir: (() => ExemplarReservoir) | undefined;
}

/** The rules for the streams of a provider's instruments. */
export interface StreamRules {
  readonly views: readonly View[];
  readonly selections: Selections;
}

/**
 * The streams of an instrument: one for each view that selects it, or the default stream without a view. If a
 * view does not set the aggregation, there is a stream for each aggregation that readers want of this kind.
 */
export function planStreams(
  instrument: InstrumentDescriptor,
  scope: Scope,
  rules: StreamRules,
  warnings: Warnings,
): StreamPlan[] {
  const views = rules.views.filter(
    (view) => view.selects(instrument, scope) && makesSense(view, instrument, warnings),
  );
  const plans = (views.length === 0 ? [undefined] : views).flatMap((view) =>
    plansOf(instrument, view, rules.selections),
  );
  return toldApart(plans, warnings);
}

/** Specification: a view that cannot be applied without semantic errors is ignored, with a warning. */
function makesSense(
  { description: { stream } }: View,
  { name, kind }: InstrumentDescriptor,
  warnings: Warnings,
): boolean {
  const { aggregation } = stream;
  if (aggregation === undefined || isPossible(aggregation, kind)) return true;
  warnings.once(
    'view',
    `${aggregation.type} ${name.toLowerCase()}`,
    `a view gives metric ${name} the aggregation ${aggregation.type}, but its kind, ${kind}, cannot have a histogram; the view is ignored for this metric. Give it a last-value or sum aggregation, or select by instrumentType`,
  );
  return false;
}

function plansOf(
  instrument: InstrumentDescriptor,
  view: View | undefined,
  selections: Selections,
): StreamPlan[] {
  const stream = view?.description.stream;
  const plan = {
    instrument,
    name: stream?.name ?? instrument.name,
    description: stream?.description ?? instrument.description,
    viewIndex: 0,
    filter: view?.filter,
    cardinalityLimit: stream?.cardinalityLimit,
    merge: stream?.merge ?? instrument.merge,
    exemplarReservoir: stream?.exemplarReservoir,
    createReservoir: view?.createReservoir,
  };
  const fixed = stream?.aggregation;
  if (fixed !== undefined) return [{ ...plan, aggregation: fixed, selection: undefined }];
  return selections[instrument.kind].map((aggregation) => ({
    ...plan,
    aggregation,
    selection: selectionKey(aggregation),
  }));
}

/**
 * Streams that differ only in what they do to attributes are distinguished by `viewIndex`. Streams that do
 * not differ in that either are one, since everything would count twice otherwise.
 */
function toldApart(plans: readonly StreamPlan[], warnings: Warnings): StreamPlan[] {
  const alike = new Map<string, (AttributeFilter | undefined)[]>();
  return plans.flatMap((plan) => {
    const { name, aggregation, selection, filter, merge } = plan;
    const identity = JSON.stringify([
      name.toLowerCase(),
      selectionKey(aggregation),
      selection ?? null,
      merge ?? null,
    ]);
    let filters = alike.get(identity);
    if (filters === undefined) alike.set(identity, (filters = []));
    if (filters.some((alikeFilter) => areEqual(alikeFilter, filter))) {
      warnings.once(
        'same stream',
        identity,
        `two views make the same metric ${shortText(name)} from the instrument ${plan.instrument.name}; only one is kept, so that nothing is counted twice. Remove one of the views, or give it another name`,
      );
      return [];
    }
    filters.push(filter);
    return [{ ...plan, viewIndex: filters.length - 1 }];
  });
}
