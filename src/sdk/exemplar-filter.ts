import { context, trace, TraceFlags, type Context } from '@opentelemetry/api';
import type { ExemplarSpan } from '../state/cells/exemplar-cell.ts';
import type { ExemplarFilter } from '../state/records.ts';

/** Of an exemplar that was made outside of any span. */
const NO_SPAN: ExemplarSpan = { traceId: '', spanId: '' };

/** Measurements in a row without a sampled span, after which not every one is looked at. */
const PATIENCE = 16;
/** Then one of so many is, on the average. */
const STRIDE = 16;

/**
 * Says whether a measurement may become an exemplar (specification, ExemplarFilter), and in which span it was made. One for each stream.
 *
 * Finding the active context costs more than a whole measurement: 12 to 20 ns, of which most goes into `AsyncLocalStorage` and none can be
 * cached, since nothing tells when the context changes. So where the last 16 measurements of the stream were made outside of any
 * sampled span, only every 16th on the average is looked at, at random distances, until one is inside. What that misses: exemplars of
 * spans that are rare among measurements without, 15 of 16. A stream that is recorded to inside of spans is looked at each time, and
 * so is a measurement that is given its context.
 */
export class ExemplarGate {
  readonly #always: boolean;
  #skip = 0;
  #misses = 0;

  constructor(filter: Exclude<ExemplarFilter, 'always_off'>) {
    this.#always = filter === 'always_on';
  }

  /** The span of a measurement that is to be offered; undefined when it is not. `given`: the context the caller passed, if any. Never throws. */
  spanOf(given: Context | undefined): ExemplarSpan | undefined {
    if (given === undefined && --this.#skip >= 0) return undefined;
    return this.#look(given);
  }

  #look(given: Context | undefined): ExemplarSpan | undefined {
    this.#skip = 0;
    const span = sampledSpan(given);
    if (span !== undefined || this.#always) {
      this.#misses = 0;
      return span ?? NO_SPAN;
    }
    if (given !== undefined) return undefined;
    if (this.#misses < PATIENCE) this.#misses++;
    else this.#skip = Math.floor(Math.random() * (2 * STRIDE - 1));
    return undefined;
  }
}

/** The sampled span of a context (by default the active one); undefined when there is none, or it cannot be read. */
function sampledSpan(given: Context | undefined): ExemplarSpan | undefined {
  try {
    const span = trace.getSpanContext(given ?? context.active());
    return span !== undefined && (span.traceFlags & TraceFlags.SAMPLED) !== 0 ? span : undefined;
  } catch {
    return undefined; // no context at all, or a span or context manager that throws
  }
}
