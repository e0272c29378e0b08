import { context, trace, TraceFlags, type Context } from '@opentelemetry/api';
import type { ExemplarSpan } from '../state/cells/exemplar-cell.ts';
import { defaultReservoir, type ExemplarGate } from '../state/exemplar-reservoirs.ts';
import type { StreamWriter } from '../state/stream-writer.ts';
import type { StreamPlan } from './stream-plan.ts';
import type { ExemplarFilter } from '../state/records.ts';
import { shortText } from '../base/errors.ts';
import type { Warnings } from '../base/warnings.ts';

/** The span of an exemplar that was made outside of any span. */
const NO_SPAN: ExemplarSpan = { traceId: '', spanId: '' };

/** After so many measurements in a row without a sampled span, only some are looked at. */
const PATIENCE = 16;
/** Then one of so many is looked at, on average. */
const STRIDE = 64;

/**
 * Says whether a measurement may become an exemplar (specification, ExemplarFilter), and in which span it was
 * made. Each stream has one.
 *
 * Finding the active context costs more than a bound measurement: usually 12 to 20 ns, sometimes up to 100.
 * Most of that is `AsyncLocalStorage`, and nothing can be cached, since nothing tells when the context
 * changes. So if the last 16 measurements of a stream were made outside of any sampled span, only every 64th
 * on average is looked at, at random distances, until one is inside. This misses 63 of 64 exemplars of spans
 * that are rare in such a stream. A stream that is recorded to inside of spans is looked at each time, and so
 * is a measurement with an explicit context.
 */
export class SpanGate implements ExemplarGate {
  untilNextOffer = 0;
  readonly #always: boolean;
  #misses = 0;
  #random: number = 1 + Math.floor(Math.random() * 0x7fff_fffe);

  constructor(filter: Exclude<ExemplarFilter, 'always_off'>) {
    this.#always = filter === 'always_on';
  }

  spanOf(given: unknown): ExemplarSpan | undefined {
    this.untilNextOffer = 0;
    const span = sampledSpan(given);
    if (span !== undefined || this.#always) {
      this.#misses = 0;
      return span ?? NO_SPAN;
    }
    if (given !== undefined) return undefined;
    if (this.#misses < PATIENCE) this.#misses++;
    else this.untilNextOffer = this.#distance();
    return undefined;
  }

  /**
   * A random number from 0 to twice the stride (Marsaglia, "Xorshift RNGs", 2003). With int32s, because
   * `Math.random` would leave 16 B of garbage.
   */
  #distance(): number {
    this.#random ^= this.#random << 13;
    this.#random ^= this.#random >>> 17;
    this.#random ^= this.#random << 5;
    return (this.#random >>> 8) % (2 * STRIDE - 1);
  }
}

/**
 * Makes a stream keep the exemplars that a filter lets through, in the reservoir of its view or its
 * aggregation.
 */
export function keepExemplars(
  stream: StreamWriter,
  filter: ExemplarFilter,
  { exemplarReservoir, filter: attributes }: Pick<StreamPlan, 'exemplarReservoir' | 'filter'>,
): void {
  if (filter === 'always_off' || exemplarReservoir?.type === 'none') return;
  const choice = exemplarReservoir ?? defaultReservoir(stream.description.aggregation);
  stream.keepExemplars(new SpanGate(filter), choice, attributes !== undefined);
}

/**
 * The sampled span of a context (by default the active one); undefined if there is none, or it cannot be
 * read.
 */
function sampledSpan(given: unknown): ExemplarSpan | undefined {
  try {
    const span = trace.getSpanContext((given as Context | undefined) ?? context.active());
    return span !== undefined && (span.traceFlags & TraceFlags.SAMPLED) !== 0 ? span : undefined;
  } catch {
    return undefined; // no context at all, or a span or context manager that throws
  }
}

/** Names the exemplar filter if a provider is given none (specification, environment variables). */
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
