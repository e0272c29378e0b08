/**
 * How the values that several live threads set in one series of a gauge are reported, as instruments and
 * views may ask for it.
 */
export const GAUGE_MERGES = ['most-recent', 'sum', 'min', 'max', 'per-writer'] as const;

/**
 * - `most-recent`: what was set last
 * - `sum`, `min`, `max` of what each thread set last
 * - `per-writer`: each thread's value by itself, with the attribute `thread.id`
 * - `shared`: one value that all writers set and add to, see `shared-value.ts`
 */
export type GaugeMerge = (typeof GAUGE_MERGES)[number] | 'shared';
