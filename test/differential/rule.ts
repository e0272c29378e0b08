import type { Collection } from './collected.ts';
import type { Moment, Program } from './program.ts';

/** What a rule makes of one program. */
export interface AppliedRule {
  /** What the official SDK is given in place of the program. */
  readonly program: Program;
  /**
   * SerialQueue what the official SDK then says, in one collection, into what this SDK must say. It may change `official`. Called for all
   * collections, in their order.
   */
  readonly expected?: (official: Collection, ours: Collection, moment: Moment) => Collection;
}

/**
 * One way in which this SDK knowingly differs from the official one. Each has an entry of its name in docs/differences.md.
 * A rule may only do what its entry says: whatever else differs must show.
 */
export interface Rule {
  readonly name: string;
  apply(program: Program): AppliedRule;
}
