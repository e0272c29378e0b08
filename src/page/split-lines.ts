import type { Point, SplitPoints } from '../exporter/page-protocol.ts';
import { LONGEST_RANGE } from './timeline.ts';

/** What the rest of a split's groups is kept as. No attribute value is this: it is not a text. */
export const REST = Symbol('rest');

type GroupName = string | null | typeof REST;

/** The groups of a split since it is looked at. The server keeps no past of them. */
export class SplitLines {
  readonly id: number;
  readonly key: number;
  readonly times: number[] = [];
  /** Groups in the rest. */
  others = 0;
  readonly #groups = new Map<GroupName, (Point | undefined)[]>();
  #shown: GroupName[] = [];

  constructor(id: number, key: number) {
    this.id = id;
    this.key = key;
  }

  add(t: number, { id, key, top, rest, others }: SplitPoints): void {
    if (id !== this.id || key !== this.key || t <= (this.times.at(-1) ?? 0)) return;
    this.others = others;
    this.times.push(t);
    const points = new Map<GroupName, Point>(top);
    if (rest !== null) points.set(REST, rest);
    this.#shown = [...points.keys()];
    for (const name of this.#shown)
      if (!this.#groups.has(name))
        this.#groups.set(
          name,
          Array.from({ length: this.times.length - 1 }, () => undefined),
        );
    for (const [name, row] of this.#groups) row.push(points.get(name));
    this.#forget();
  }

  #forget(): void {
    let old = 0;
    while (this.times.at(-1)! - this.times[old]! > LONGEST_RANGE) old++;
    if (old === 0) return;
    this.times.splice(0, old);
    for (const [name, row] of this.#groups) {
      row.splice(0, old);
      if (row.every((point) => point === undefined)) this.#groups.delete(name);
    }
  }

  /** The groups that are shown now, with a point for each of `times`. The rest comes last. */
  groups(): { readonly name: GroupName; readonly points: readonly (Point | undefined)[] }[] {
    return this.#shown.map((name) => ({ name, points: this.#groups.get(name)! }));
  }
}
