/** What the readers of a provider ask of it, as its configuration. */
import type { IMetricReader } from '@opentelemetry/sdk-metrics';
import { OptionError } from '../base/errors.ts';
import type { Warnings } from '../base/warnings.ts';
import { INSTRUMENT_KINDS, type InstrumentKind, type StoreConfiguration } from '../state/records.ts';
import type { ProviderResource } from './resource.ts';

/** Default of the specification. */
const DEFAULT_CARDINALITY_LIMIT = 2000;
const DEFAULT_AGGREGATION = 0;

type SelectorArgument = Parameters<IMetricReader['selectCardinalityLimit']>[0];

/** Resource and limits of a store. The largest limit of any reader is kept; throws an `OptionError` on one that is none. */
export function storeConfiguration(
  readers: readonly IMetricReader[],
  resource: ProviderResource,
): StoreConfiguration {
  const limits = INSTRUMENT_KINDS.map((kind): [InstrumentKind, number] => [
    kind,
    readers.length === 0
      ? DEFAULT_CARDINALITY_LIMIT
      : Math.max(...readers.map((reader) => limitOf(reader, kind))),
  ]);
  return {
    resource: storableAttributes(resource),
    resourceSchemaUrl: resource.schemaUrl,
    cardinalityLimits: Object.fromEntries(limits) as Record<InstrumentKind, number>,
  };
}

/** Attributes that are still being found out are left out, and written when they are known. */
function storableAttributes(resource: ProviderResource): StoreConfiguration['resource'] {
  if (resource.asyncAttributesPending === true) return {};
  try {
    JSON.stringify(resource.attributes);
  } catch {
    throw new OptionError(
      'resource',
      resource,
      'a Resource whose attributes JSON can hold: no bigint, no cycle',
    );
  }
  return resource.attributes;
}

function limitOf(reader: IMetricReader, kind: InstrumentKind): number {
  const limit = reader.selectCardinalityLimit?.(kind as SelectorArgument) ?? DEFAULT_CARDINALITY_LIMIT;
  if (!Number.isInteger(limit) || limit < 1)
    throw new OptionError(`cardinality limit of a reader for ${kind}`, limit, 'a whole number from 1');
  return limit;
}

/** Says once what a reader selects that this version does not do. */
export function warnOfWhatReadersAskInVain(readers: readonly IMetricReader[], warnings: Warnings): void {
  const aggregation = INSTRUMENT_KINDS.filter((kind) =>
    readers.some(
      (reader) => (reader.selectAggregation?.(kind as SelectorArgument).type ?? 0) !== DEFAULT_AGGREGATION,
    ),
  ).join(', ');
  if (aggregation !== '')
    warnings.once(
      'aggregation',
      `a reader selects an aggregation for ${aggregation}; this version uses the default`,
    );
}
