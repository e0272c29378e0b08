/** What `kinds-program.ts` is told, and what it answers. */
/** The id of the trace in which a process records, by its number. */
export const traceOf = (process: number): string => `${process}`.repeat(32);
/** Attribute sets of the counter `few`. */
export const FEW = 5;

/** What one process records, all of it once. `number`: 1 for the first process, and so on. */
export interface KindsTask {
  readonly do: 'record';
  readonly number: number;
  /** Histogram values; they go to both sorts of histograms. */
  readonly values: readonly number[];
  /** A value that is recorded to the explicit histogram in a trace. */
  readonly traced: number;
  readonly gauge: number;
  /** Attribute sets of a counter that may have `FEW`. */
  readonly sets: readonly string[];
}

export type KindsJob =
  | KindsTask
  /** Adds fractions to a counter and records to a histogram, and notes how often, until it is killed. */
  | { readonly do: 'record for ever'; readonly noted: string; readonly number: number }
  | { readonly do: 'observe'; readonly value: number }
  /** Of the gauge by name that all processes share. */
  | { readonly do: 'shared gauge'; readonly method: 'set' | 'inc' | 'dec'; readonly value: number }
  | { readonly do: 'collect' | 'collect deltas' | 'look at threads' };

export interface KindsPoint {
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly value: unknown;
  /** Ids of the traces of its exemplars, and their values. */
  readonly exemplars: readonly (readonly [string | undefined, number])[];
}
export type Kinds = Readonly<Record<string, readonly KindsPoint[]>>;
