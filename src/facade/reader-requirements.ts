/** What the views and readers of a provider need, as the configuration of its store. */
import type { IMetricReader } from '@opentelemetry/sdk-metrics';
import { OptionError } from '../base/errors.ts';
import type { Warnings } from '../base/warnings.ts';
import { aggregationChoice } from '../sdk/aggregation-option.ts';
import { isPossible, simplified } from '../sdk/aggregation.ts';
import {
  DEFAULT_CHOICE,
  selectionKey,
  shownSelection,
  type AggregationChoice,
  type Selections,
  INSTRUMENT_KINDS,
  type InstrumentKind,
} from '../state/stream-choices.ts';
import type { ExemplarFilter, StoreConfiguration } from '../state/records.ts';
import type { View } from '../sdk/view.ts';
import { knownAttributes, type ProviderResource } from './resource.ts';

/** Default of the specification. */
const DEFAULT_CARDINALITY_LIMIT = 2000;

type SelectorArgument = Parameters<IMetricReader['selectCardinalityLimit']>[0];

/**
 * The configuration of a store. Throws an `OptionError` if a limit or an aggregation of a reader is wrong.
 */
export function storeConfiguration(
  readers: readonly IMetricReader[],
  resource: ProviderResource,
  views: readonly View[],
  exemplarFilter: ExemplarFilter,
  warnings: Warnings,
): StoreConfiguration {
  return {
    resource: storableAttributes(resource),
    resourceSchemaUrl: resource.schemaUrl,
    cardinalityLimits: byKind((kind) =>
      readers.length === 0
        ? DEFAULT_CARDINALITY_LIMIT
        : Math.max(...readers.map((reader) => limitOf(reader, kind))),
    ),
    selections: byKind((kind) => {
      const choices = readers.map((reader) => selectedAggregation(reader, kind, warnings));
      if (choices.length === 0) return [DEFAULT_CHOICE];
      return [...new Map(choices.map((choice) => [selectionKey(choice), choice])).values()];
    }),
    views: views.map(({ description }) => description),
    exemplarFilter,
  };
}

function byKind<T>(valueOf: (kind: InstrumentKind) => T): Record<InstrumentKind, T> {
  return Object.fromEntries(INSTRUMENT_KINDS.map((kind) => [kind, valueOf(kind)])) as Record<
    InstrumentKind,
    T
  >;
}

/** The aggregation a reader wants of a kind of instruments. */
export function selectedAggregation(
  reader: IMetricReader,
  kind: InstrumentKind,
  warnings: Warnings,
): AggregationChoice {
  const option = reader.selectAggregation?.(kind as SelectorArgument);
  if (option === undefined) return DEFAULT_CHOICE;
  const name = `aggregation of a reader for ${kind}`;
  const choice = simplified(aggregationChoice(option, name), kind);
  if (isPossible(choice, kind)) return choice;
  warnings.once(
    'aggregation',
    kind,
    `a reader selects the aggregation ${choice.type} for ${kind}, which cannot have a histogram; the default aggregation is used instead`,
  );
  return DEFAULT_CHOICE;
}

/**
 * Warns about aggregations that no thread records, because the store's publisher had no reader that wants
 * them.
 */
export function warnOfUnrecorded(
  readers: readonly IMetricReader[],
  selections: Selections,
  warnings: Warnings,
): void {
  for (const kind of INSTRUMENT_KINDS)
    for (const reader of readers) {
      const wanted = selectionKey(selectedAggregation(reader, kind, warnings));
      const shown = shownSelection(selections, kind, wanted);
      if (shown !== wanted)
        warnings.loss(
          'unrecorded',
          `${kind} ${wanted}`,
          `a reader selects the aggregation ${wanted} for ${kind}, but this store does not record it: the provider that made the store had no reader that selects it. The reader gets ${shown} instead. Attach the reader to the provider that makes the store`,
        );
    }
}

/** Attributes that are not known yet are written when they are. */
function storableAttributes(resource: ProviderResource): StoreConfiguration['resource'] {
  const attributes = knownAttributes(resource);
  try {
    JSON.stringify(attributes);
  } catch {
    throw new OptionError(
      'resource',
      resource,
      'a Resource whose attributes JSON can hold: no bigint, no cycle',
    );
  }
  return attributes;
}

function limitOf(reader: IMetricReader, kind: InstrumentKind): number {
  const limit = reader.selectCardinalityLimit?.(kind as SelectorArgument) ?? DEFAULT_CARDINALITY_LIMIT;
  if (!Number.isInteger(limit) || limit < 1)
    throw new OptionError(`cardinality limit of a reader for ${kind}`, limit, 'a whole number from 1');
  return limit;
}
