import type { NumberedPoint, Point } from '../exporter/page-protocol.ts';

/** How far back the page shows, in milliseconds. */
export const LONGEST_RANGE: number = 10 * 60_000;

interface Row {
  readonly points: (Point | undefined)[];
  /** Whether a value stays until the next one. */
  readonly stays: boolean;
}

/**
 * What the page knows of the past: the times of frames, and beside them the points of the streams that are
 * looked at. No point means that nothing has changed.
 */
export class Timeline {
  readonly times: number[] = [];
  readonly #rows = new Map<number, Row>();

  /** Points of a stream, one for each of `times`. */
  rowOf(stream: number): readonly (Point | undefined)[] | undefined {
    return this.#rows.get(stream)?.points;
  }

  /** When the latest frame was taken; 0 before the first. */
  get latest(): number {
    return this.times.at(-1) ?? 0;
  }

  get streams(): Iterable<number> {
    return this.#rows.keys();
  }

  /** Begins to keep a stream. `stays`: its values stay until the next one, as those of gauges do. */
  begin(stream: number, stays: boolean): void {
    this.#rows.set(stream, { points: Array.from({ length: this.times.length }, () => undefined), stays });
  }

  /** Drops all that is known of a stream. */
  drop(stream: number): void {
    this.#rows.delete(stream);
  }

  /** Adds a frame, which is in any place of the time. Of streams that were not begun, points are dropped. */
  add(t: number, points: readonly NumberedPoint[]): void {
    const at = this.#placeOf(t);
    for (const [id, ...point] of points) {
      const row = this.#rows.get(id!);
      if (row !== undefined) row.points[at] = point;
    }
    this.#forget();
  }

  #placeOf(t: number): number {
    const { times } = this;
    let at = times.length;
    while (at > 0 && times[at - 1]! >= t) at--;
    if (times[at] === t) return at;
    times.splice(at, 0, t);
    for (const { points } of this.#rows.values()) points.splice(at, 0, undefined);
    return at;
  }

  #forget(): void {
    const { times } = this;
    let old = 0;
    while (times.at(-1)! - times[old]! > LONGEST_RANGE) old++;
    if (old === 0) return;
    times.splice(0, old);
    for (const { points, stays } of this.#rows.values()) {
      const first = stays ? latestIn(points.slice(0, old + 1)) : points[old];
      points.splice(0, old);
      points[0] = first;
    }
  }

  /** Drops everything: the server has started anew. */
  clear(): void {
    this.times.length = 0;
    this.#rows.clear();
  }
}

function latestIn(points: readonly (Point | undefined)[]): Point | undefined {
  return points.reduce((latest, point) => point ?? latest, undefined);
}
