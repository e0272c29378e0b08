import type { MetricColumn } from '../collect/rows/column.ts';
import type { Point, SplitPoints } from './page-protocol.ts';
import { isOfFrame, joined, STREAM_KINDS, tallyOf, type Tally } from './page-tally.ts';

/** Groups that are shown by themselves. */
const TOP = 10;
/** Groups that are counted by themselves. Values that come later are in the rest. */
const MAX_GROUPS = 2000;
/** Frames for which the choice of groups stays, so that lines do not come and go all the time. */
const FRAMES_OF_CHOICE = 5;
/** What of a group's score is left after a frame. */
const DECAY = 0.9;
/** Values are cut off after so many characters: they are shown to people. */
const TEXT_LENGTH = 200;

interface Group {
  readonly value: string | null;
  readonly tally: Tally;
  point: Point | undefined;
  /** How high it is, on average over the latest frames. */
  score: number;
}

/** The series of a stream in groups by the value of one attribute. */
export class PageSplit {
  readonly #place: number;
  readonly #key: string;
  readonly #groups = new Map<unknown, Group>();
  #top: readonly Group[] = [];
  #frames = 0;
  #column: MetricColumn | undefined;

  /** `place`: of the key in the list of the stream's keys. */
  constructor(place: number, key: string) {
    this.#place = place;
    this.#key = key;
  }

  /** Adds rows of the frame. */
  add(column: MetricColumn): void {
    this.#column = column;
    const { values, stride, rows, attributes } = column;
    for (let row = 0; row < rows; row++) {
      const all = attributes[row]!;
      this.#groupOf(Object.hasOwn(all, this.#key) ? all[this.#key] : undefined).tally.add(
        values,
        row * stride,
      );
    }
  }

  #groupOf(value: unknown): Group {
    const id = typeof value === 'object' ? JSON.stringify(value) : value;
    let group = this.#groups.get(id);
    if (group !== undefined) return group;
    if (this.#groups.size >= MAX_GROUPS) return this.#others();
    group = this.#newGroup(value === undefined ? null : textOf(value));
    this.#groups.set(id, group);
    return group;
  }

  /** The group of all values that came too late. */
  #others(): Group {
    let group = this.#groups.get(TOO_MANY);
    if (group === undefined) this.#groups.set(TOO_MANY, (group = this.#newGroup('')));
    return group;
  }

  #newGroup(value: string | null): Group {
    return { value, tally: tallyOf(this.#column!.description), point: undefined, score: 0 };
  }

  /** Ends the frame. Undefined before the first one, and while the stream has no series. */
  close(id: number): SplitPoints | undefined {
    if (this.#column === undefined) return undefined;
    const kind = STREAM_KINDS[this.#column.description.kind];
    const isBase = this.#frames === 0;
    for (const group of this.#groups.values()) {
      const point = group.tally.close(isBase);
      group.point = isOfFrame(kind) ? point : (point ?? group.point);
      group.score = group.score * DECAY + (1 - DECAY) * Math.abs(group.point?.[0] ?? 0);
    }
    if (this.#frames++ % FRAMES_OF_CHOICE === 0 || this.#top.length < Math.min(TOP, this.#groups.size))
      this.#choose();
    const others = [...this.#groups.values()].filter((group) => !this.#top.includes(group));
    const none: Point = isOfFrame(kind) ? [0] : [];
    return {
      id,
      key: this.#place,
      top: this.#top.map(({ value, point }) => [value, point ?? none]),
      rest:
        others.length === 0
          ? null
          : joined(
              kind,
              others.flatMap(({ point }) => (point === undefined ? [] : [point])),
            ),
      others: others.length,
    };
  }

  #choose(): void {
    const tooMany = this.#groups.get(TOO_MANY);
    this.#top = [...this.#groups.values()]
      .filter((group) => group !== tooMany)
      .sort((a, b) => b.score - a.score)
      .slice(0, TOP);
  }
}

/** No attribute value is this. */
const TOO_MANY = Symbol('too many');

function textOf(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > TEXT_LENGTH ? `${text.slice(0, TEXT_LENGTH)}…` : text;
}
