export const INSTRUMENT_KINDS = [
  'COUNTER',
  'GAUGE',
  'HISTOGRAM',
  'UP_DOWN_COUNTER',
  'OBSERVABLE_COUNTER',
  'OBSERVABLE_GAUGE',
  'OBSERVABLE_UP_DOWN_COUNTER',
] as const;
export type InstrumentKind = (typeof INSTRUMENT_KINDS)[number];

/** True for asynchronous instruments, whose cells hold observed values whatever the aggregation. */
export function isObserved(kind: InstrumentKind): boolean {
  return kind.startsWith('OBSERVABLE_');
}
