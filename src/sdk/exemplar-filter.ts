import {
  context,
  ROOT_CONTEXT,
  trace,
  TraceFlags,
  type Attributes,
  type Context,
  type SpanContext,
} from '@opentelemetry/api';
import type { ExemplarSpan } from '../state/cells/exemplar-cell.ts';
import { systemClock } from '../base/platform.ts';
import { defaultReservoir, type ExemplarChooser, type ExemplarGate } from '../state/exemplar-reservoirs.ts';
import type { StreamWriter } from '../state/stream-writer.ts';
import { lookBudget, type LookBudget } from './look-budget.ts';
import type { StreamPlan } from './stream-plan.ts';
import type { ExemplarReservoir } from './view-options.ts';
import type { ExemplarFilter } from '../state/records.ts';
import { shortText } from '../base/errors.ts';
import type { Warnings } from '../base/warnings.ts';

/** The span of an exemplar that was made outside of any span. */
const NO_SPAN: ExemplarSpan = { traceId: '', spanId: '' };

/** Beyond the budget one measurement of so many is looked at, on average. */
const STRIDE = 24;

/**
 * Says whether a measurement may become an exemplar (specification, ExemplarFilter), and in which span it was
 * made. Each stream has one.
 *
 * Each measurement is looked at while looks that find no sampled span are within the thread's budget
 * (`look-budget.ts`). Beyond it, every 24th on average is looked at, at random distances. So a span that
 * begins after a burst is not missed, and of one within a burst the first measurements are. After a look
 * that found one, and with an explicit context, each measurement is looked at.
 */
export class SpanGate implements ExemplarGate {
  untilNextOffer = 0;
  readonly #always: boolean;
  readonly #budget: LookBudget;
  readonly #renewed: () => void;
  #awaits = false;
  #random: number = 1 + Math.floor(Math.random() * 0x7fff_fffe);

  /** `renewed`: called when measurements are to be offered again, earlier than `untilNextOffer` said. */
  constructor(
    filter: Exclude<ExemplarFilter, 'always_off'>,
    renewed: () => void,
    budget: LookBudget = lookBudget,
  ) {
    this.#always = filter === 'always_on';
    this.#renewed = renewed;
    this.#budget = budget;
  }

  spanOf(given: unknown): ExemplarSpan | undefined {
    this.untilNextOffer = 0;
    const span = activeSpan(given);
    if (this.#always) return span ?? NO_SPAN;
    if (span !== undefined && (span.traceFlags & TraceFlags.SAMPLED) !== 0) return span;
    if (given === undefined && !this.#budget.spend()) this.#pause();
    return undefined;
  }

  #pause(): void {
    this.untilNextOffer = this.#distance();
    if (this.#awaits) return;
    this.#awaits = true;
    this.#budget.await(() => {
      this.#awaits = false;
      this.#renewed();
    });
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
  plan: Pick<StreamPlan, 'exemplarReservoir' | 'createReservoir' | 'filter'>,
): void {
  const { exemplarReservoir, createReservoir, filter: attributes } = plan;
  if (filter === 'always_off' || exemplarReservoir?.type === 'none') return;
  const gate = new SpanGate(filter, () => (stream.untilNextOffer = 0));
  const isCustom = exemplarReservoir?.type === 'custom';
  const choice =
    exemplarReservoir === undefined || (isCustom && createReservoir === undefined)
      ? defaultReservoir(stream.description.aggregation)
      : exemplarReservoir;
  const makeChooser =
    isCustom && createReservoir && ((): ExemplarChooser => chooser(stream, createReservoir));
  stream.keepExemplars(gate, choice, attributes !== undefined, makeChooser || undefined);
}

/** Code of the app, whose errors are told and harm no measurement. */
function chooser(stream: StreamWriter, create: () => ExemplarReservoir): ExemplarChooser {
  const guarded = <T>(work: () => T): T | undefined => {
    try {
      return work();
    } catch (error) {
      stream.warn(
        'reservoir',
        `the exemplar reservoir of a view failed (${shortText(error)}); the measurements it fails for are recorded, and do not become exemplars`,
      );
      return undefined;
    }
  };
  const reservoir = guarded(create);
  return {
    offer: ({ value, attributes, context: given }) =>
      guarded(() =>
        reservoir?.offer({
          value,
          timeMillis: systemClock.now(),
          attributes: (attributes ?? {}) as Attributes,
          context: (given as Context | undefined) ?? context.active(),
        }),
      ),
    collected: () => guarded(() => reservoir?.collected?.()),
  };
}

/**
 * The span of a context (by default the active one); undefined if there is none, or it cannot be read.
 */
function activeSpan(given: unknown): SpanContext | undefined {
  try {
    const at = (given as Context | undefined) ?? context.active();
    return at === ROOT_CONTEXT ? undefined : trace.getSpanContext(at);
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
