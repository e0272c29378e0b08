import { shortText } from '../base/errors.ts';
import type { Warnings } from '../base/warnings.ts';
import type { ExemplarFilter } from '../state/records.ts';

/** Names the exemplar filter where a provider is given none (specification, environment variables). */
export const EXEMPLAR_FILTER_VARIABLE = 'OTEL_METRICS_EXEMPLAR_FILTER';

export const EXEMPLAR_FILTERS: readonly ExemplarFilter[] = ['trace_based', 'always_on', 'always_off'];
const DEFAULT_FILTER: ExemplarFilter = 'trace_based';

/**
 * The filter an environment names, or the default. A wrong name is warned of and not used; case does not
 * matter.
 */
export function exemplarFilterOfEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  warnings: Warnings,
): ExemplarFilter {
  const value = environment[EXEMPLAR_FILTER_VARIABLE]?.trim() ?? '';
  if (value === '') return DEFAULT_FILTER;
  const filter = EXEMPLAR_FILTERS.find((name) => name === value.toLowerCase());
  if (filter === undefined)
    warnings.loss(
      'variable',
      EXEMPLAR_FILTER_VARIABLE,
      `${EXEMPLAR_FILTER_VARIABLE} is ${shortText(value)}; it must be one of ${EXEMPLAR_FILTERS.join(', ')}. ${DEFAULT_FILTER} is used instead`,
    );
  return filter ?? DEFAULT_FILTER;
}
