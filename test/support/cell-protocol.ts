/**
 * One cell protocol as the tests see it: what to do in update k, how to read, and what state update k must leave.
 * The real cells and the deliberately broken ones are described alike and go through the same checks.
 */
import type { Memory } from './stepped-memory.ts';

export interface CellProtocol {
  readonly name: string;
  /** Float64 words of the cell. */
  readonly cellWords: number;
  /** Makes zeroed memory an empty cell. */
  readonly init: (memory: Memory, at: number) => void;
  /** Update number k = 1, 2, 3, ... by the cell's writer. */
  readonly write: (words: Int32Array, doubles: Float64Array, at: number, k: number) => void;
  /** Copies the state to `into`; returns attempts, 0 = gave up. */
  readonly read: (words: Int32Array, doubles: Float64Array, at: number, into: Float64Array) => number;
  /** The state after updates 1 .. k. */
  readonly expected: (k: number) => readonly number[];
  /** Which update's state `into` is, -1 if that of none. Allocates nothing: the stress test asks millions of times. */
  readonly updateOf: (into: Float64Array) => number;
  /** What a new owner does to a dead writer's cell, where it does anything. */
  readonly adopt?: (words: Int32Array, doubles: Float64Array, at: number) => void;
  /** Updates after which others are looked at in every interleaving. Left out: 2. */
  readonly starts?: readonly number[];
}
