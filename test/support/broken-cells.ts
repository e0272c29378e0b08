/**
 * Cell protocols that are wrong on purpose, each in one respect. A check that does not fail on them proves nothing.
 * Payload: N words, update k stores k in each. Used by the interleaving test and, with real threads, the stress test.
 */
import type { CellProtocol } from './cell-protocol.ts';

const N = 8;
const SLOTS = 1;

type Write = CellProtocol['write'];
type Read = CellProtocol['read'];

const writeTwoSlots: Write = (words, doubles, at, k) => {
  const version = words[at << 1]!;
  const to = at + SLOTS + (~version & 1) * N;
  for (let i = 0; i < N; i++) doubles[to + i] = k;
  words[at << 1] = (version + 1) | 0;
};

const readTwoSlots: Read = (words, doubles, at, into) => {
  for (let attempt = 1; attempt <= 64; attempt++) {
    const version = Atomics.load(words, at << 1);
    const slot = at + SLOTS + (version & 1) * N;
    for (let i = 0; i < N; i++) into[i] = doubles[slot + i]!;
    if (Atomics.load(words, at << 1) === version) return attempt;
  }
  return 0;
};

const readClassic: Read = (words, doubles, at, into) => {
  for (let attempt = 1; attempt <= 64; attempt++) {
    const version = Atomics.load(words, at << 1);
    if ((version & 1) !== 0) continue;
    for (let i = 0; i < N; i++) into[i] = doubles[at + SLOTS + i]!;
    if (Atomics.load(words, at << 1) === version) return attempt;
  }
  return 0;
};

function protocol(name: string, write: Write, read: Read): CellProtocol {
  return {
    name,
    cellWords: SLOTS + 2 * N,
    init() {},
    write,
    read,
    expected: (k) => Array.from({ length: N }, () => k),
    updateOf(into) {
      for (let i = 1; i < N; i++) if (into[i] !== into[0]) return -1;
      return into[0]!;
    },
  };
}

const noRecheck = protocol(
  'reader does not look at the version again',
  writeTwoSlots,
  (words, doubles, at, into) => {
    const version = Atomics.load(words, at << 1);
    const slot = at + SLOTS + (version & 1) * N;
    for (let i = 0; i < N; i++) into[i] = doubles[slot + i]!;
    return 1;
  },
);

const closeVersions = protocol(
  'reader accepts the next version too',
  writeTwoSlots,
  (words, doubles, at, into) => {
    for (let attempt = 1; attempt <= 64; attempt++) {
      const version = Atomics.load(words, at << 1);
      const slot = at + SLOTS + (version & 1) * N;
      for (let i = 0; i < N; i++) into[i] = doubles[slot + i]!;
      if (((Atomics.load(words, at << 1) - version) | 0) <= 1) return attempt;
    }
    return 0;
  },
);

const lowBitOnly = protocol(
  'reader compares the low bit alone',
  writeTwoSlots,
  (words, doubles, at, into) => {
    for (let attempt = 1; attempt <= 64; attempt++) {
      const version = Atomics.load(words, at << 1);
      const slot = at + SLOTS + (version & 1) * N;
      for (let i = 0; i < N; i++) into[i] = doubles[slot + i]!;
      if ((Atomics.load(words, at << 1) & 1) === (version & 1)) return attempt;
    }
    return 0;
  },
);

const publishFirst = protocol(
  'writer publishes before it fills the slot',
  (words, doubles, at, k) => {
    const version = words[at << 1]!;
    const to = at + SLOTS + (~version & 1) * N;
    words[at << 1] = (version + 1) | 0;
    for (let i = 0; i < N; i++) doubles[to + i] = k;
  },
  readTwoSlots,
);

const publishEarly = protocol(
  'writer stores one word after it published',
  (words, doubles, at, k) => {
    const version = words[at << 1]!;
    const to = at + SLOTS + (~version & 1) * N;
    for (let i = 1; i < N; i++) doubles[to + i] = k;
    words[at << 1] = (version + 1) | 0;
    doubles[to] = k;
  },
  readTwoSlots,
);

const oneSlot = protocol(
  'writer fills the slot that is published',
  (words, doubles, at, k) => {
    const version = words[at << 1]!;
    for (let i = 0; i < N; i++) doubles[at + SLOTS + i] = k;
    words[at << 1] = (version + 1) | 0;
  },
  (words, doubles, at, into) => {
    for (let attempt = 1; attempt <= 64; attempt++) {
      const version = Atomics.load(words, at << 1);
      for (let i = 0; i < N; i++) into[i] = doubles[at + SLOTS + i]!;
      if (Atomics.load(words, at << 1) === version) return attempt;
    }
    return 0;
  },
);

const classicNoOdd = protocol(
  'classic seqlock whose writer never makes the version odd',
  (words, doubles, at, k) => {
    const version = words[at << 1]!;
    for (let i = 0; i < N; i++) doubles[at + SLOTS + i] = k;
    words[at << 1] = (version + 2) | 0;
  },
  readClassic,
);

const classicDataFirst = protocol(
  'classic seqlock with a data store ahead of the odd version, as arm64 may do',
  (words, doubles, at, k) => {
    const version = words[at << 1]!;
    doubles[at + SLOTS] = k;
    words[at << 1] = (version + 1) | 0;
    for (let i = 1; i < N; i++) doubles[at + SLOTS + i] = k;
    words[at << 1] = (version + 2) | 0;
  },
  readClassic,
);

// Histogram of two buckets: slots of {count, bucket, bucket count}, then the buckets.
const noRedo: CellProtocol = {
  name: 'histogram that changes a bucket in place before it publishes',
  cellWords: SLOTS + 2 * 1 + 2,
  init() {},
  write(words, doubles, at, k) {
    const version = words[at << 1]!;
    const buckets = at + SLOTS + 2;
    doubles[buckets + (k & 1)]! += 1;
    doubles[at + SLOTS + (~version & 1)] = k;
    words[at << 1] = (version + 1) | 0;
  },
  read(words, doubles, at, into) {
    for (let attempt = 1; attempt <= 64; attempt++) {
      const version = Atomics.load(words, at << 1);
      into[0] = doubles[at + SLOTS + (version & 1)]!;
      into[1] = doubles[at + SLOTS + 2]!;
      into[2] = doubles[at + SLOTS + 3]!;
      if (Atomics.load(words, at << 1) === version) return attempt;
    }
    return 0;
  },
  expected: (k) => [k, k >> 1, (k + 1) >> 1],
  updateOf: (into) => (into[0] === into[1]! + into[2]! ? into[0] : -1),
};

// Exponential histogram reduced to what a move of counts is about: slots of {count, array}, and two arrays of two counts.
// Update k moves all counts to the other bucket.
const ARRAYS = SLOTS + 2 * 2;

function moving(name: string, write: Write): CellProtocol {
  return {
    name,
    cellWords: ARRAYS + 2 * 2,
    init() {},
    write,
    read(words, doubles, at, into) {
      for (let attempt = 1; attempt <= 64; attempt++) {
        const version = Atomics.load(words, at << 1);
        const slot = at + SLOTS + 2 * (version & 1);
        into[0] = doubles[slot]!;
        const array = at + ARRAYS + 2 * (doubles[slot + 1] === 1 ? 1 : 0);
        into[1] = doubles[array]!;
        into[2] = doubles[array + 1]!;
        if (Atomics.load(words, at << 1) === version) return attempt;
      }
      return 0;
    },
    expected: (k) => (k % 2 === 0 ? [k, k, 0] : [k, 0, k]),
    updateOf: (into) =>
      into[0] === into[1]! + into[2]! && Math.min(into[1]!, into[2]!) === 0 ? into[0] : -1,
  };
}

const movesInPlace = moving(
  'exponential histogram that moves counts within one array',
  (words, doubles, at, k) => {
    const version = words[at << 1]!;
    const slot = at + SLOTS + 2 * (~version & 1);
    doubles[at + ARRAYS + (k & 1)] = k;
    doubles[at + ARRAYS + (~k & 1)] = 0;
    doubles[slot] = k;
    doubles[slot + 1] = 0;
    words[at << 1] = (version + 1) | 0;
  },
);

const movesAfterPublish = moving(
  'exponential histogram that fills the other array after it published',
  (words, doubles, at, k) => {
    const version = words[at << 1]!;
    const slot = at + SLOTS + 2 * (~version & 1);
    const other = at + ARRAYS + 2 * (k & 1);
    doubles[slot] = k;
    doubles[slot + 1] = k & 1;
    words[at << 1] = (version + 1) | 0;
    doubles[other + (k & 1)] = k;
    doubles[other + (~k & 1)] = 0;
  },
);

const givesArrayAwayEarly = moving(
  'exponential histogram whose array is given to another cell before it published',
  (words, doubles, at, k) => {
    const version = words[at << 1]!;
    const slot = at + SLOTS + 2 * (~version & 1);
    const own = at + ARRAYS + 2 * (~k & 1);
    const other = at + ARRAYS + 2 * (k & 1);
    doubles[other + (k & 1)] = k;
    doubles[other + (~k & 1)] = 0;
    doubles[slot] = k;
    doubles[slot + 1] = k & 1;
    doubles[own] = 99;
    words[at << 1] = (version + 1) | 0;
  },
);

export const BROKEN_CELLS: readonly CellProtocol[] = [
  noRecheck,
  closeVersions,
  lowBitOnly,
  publishFirst,
  publishEarly,
  oneSlot,
  classicNoOdd,
  classicDataFirst,
  noRedo,
  movesInPlace,
  movesAfterPublish,
  givesArrayAwayEarly,
];

/**
 * Right in program order, so the interleaving test cannot see what is wrong: the compiler may merge or move the two
 * plain loads of the version, and V8 does on the Node lines of `COMPILER_BROKEN_SINCE`.
 */
export const plainRecheck = protocol(
  'reader looks again with a plain load',
  writeTwoSlots,
  (words, doubles, at, into) => {
    for (let attempt = 1; attempt <= 64; attempt++) {
      const version = words[at << 1]!;
      const slot = at + SLOTS + (version & 1) * N;
      const a = doubles[slot]!;
      const b = doubles[slot + 1]!;
      const c = doubles[slot + 2]!;
      const d = doubles[slot + 3]!;
      const e = doubles[slot + 4]!;
      const f = doubles[slot + 5]!;
      const g = doubles[slot + 6]!;
      const h = doubles[slot + 7]!;
      if (words[at << 1] !== version) continue;
      into[0] = a;
      into[1] = b;
      into[2] = c;
      into[3] = d;
      into[4] = e;
      into[5] = f;
      into[6] = g;
      into[7] = h;
      return attempt;
    }
    return 0;
  },
);

export const COMPILER_BROKEN_SINCE = 24;
