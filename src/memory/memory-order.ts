/**
 * Which of the two forms of the cell protocol this thread runs.
 *
 * FAST   plain stores publish. Right where the hardware keeps the order of stores and of loads (x64) and
 *        where the compiler has been looked at: the V8 lines below were disassembled and stressed
 *        (docs/memory-model.md).
 * STRICT publish and re-check are read-modify-writes. Right by the memory model of ECMA-262 alone, on every
 * machine.
 *
 * The choice is made once, when this module is loaded, so that no call has a branch for it. It is written
 * into the header of every region this thread makes, and a region of the other form is refused (see
 * `region.ts`).
 */
export type MemoryOrder = 'fast' | 'strict';

/**
 * V8 major versions whose code for the FAST form is checked by `npm run test:jit` on every supported Node
 * line.
 */
const CHECKED_V8_MIN = 11;
const CHECKED_V8_MAX = 14;

/**
 * Chooses the form for a machine. `override` can only ask for the stronger one: FAST on an unknown machine
 * would be a bug.
 */
export function chooseMemoryOrder(
  arch: string,
  v8Version: string,
  override: string | undefined,
): MemoryOrder {
  if (override === 'strict') return 'strict';
  const major = Number.parseInt(v8Version, 10);
  return arch === 'x64' && major >= CHECKED_V8_MIN && major <= CHECKED_V8_MAX ? 'fast' : 'strict';
}

/**
 * Environment variable that, set to `strict`, forces the STRICT form (set it for the whole process, not one
 * worker).
 */
export const MEMORY_ORDER_VARIABLE = 'SEQLOCK_METRICS_MEMORY_ORDER';

export const MEMORY_ORDER: MemoryOrder = chooseMemoryOrder(
  process.arch,
  process.versions.v8,
  process.env[MEMORY_ORDER_VARIABLE],
);
