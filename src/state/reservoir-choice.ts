/**
 * Which measurements of a series are kept (specification, ExemplarReservoir): at most `size` of all, or one a
 * histogram bucket.
 */
export type ReservoirChoice =
  { readonly type: 'fixed-size'; readonly size: number } | { readonly type: 'aligned-buckets' };

/** ... as a view may choose: or none at all. */
export type ViewReservoir = ReservoirChoice | { readonly type: 'none' };
