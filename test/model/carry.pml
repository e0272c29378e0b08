/*
 * The end of an interval (src/state/cells/carried.ts): a cell of two slots of one word, its link, and two records of {since, unfinished, total}.
 * The writer records 1, ends the interval, records 1, and ends the interval again, by which it writes over the first record. A
 * reader loads link, record and slot between its two looks at the version. The total is record and slot together.
 *
 *   version    0   1   2   3   4
 *   total      0   1   1   2   2
 *
 * MACHINE and the way of modelling: as in two-slot.pml. FORM 1 is STRICT, FORM 0 FAST, in which the version is stored plainly where a
 * measurement is recorded; where an interval ends, link and version are exchanged in either form.
 * Broken on purpose: IGNORES (the reader does not look at `unfinished`), FLIP_FIRST (the link is stored before the record), CLEAR_FIRST
 * (`unfinished` is taken back before the version is stored), LINK_FIRST (the reader loads the link before the version).
 */
#ifndef MACHINE
#define MACHINE 0
#endif
#ifndef FORM
#define FORM 1
#endif

int version = 0;
int link = 0;
int slots[2] = { 0, 99 };
int since[2] = { 0, 99 };
int unfinished[2] = { 0, 99 };
int total[2] = { 0, 99 };
byte versionWrites = 0;
bool writerDone = false;

/* The operations in program order, as bits of `done`. X: the exclusive load of a read-modify-write, P of the version, L of the link. */
#ifdef FLIP_FIRST
#define XL 3
#define PL 4
#define S 5
#define U 6
#define T 7
#else
#define S 3
#define U 4
#define T 5
#define XL 6
#define PL 7
#endif
#ifdef CLEAR_FIRST
#define C 8
#define B 9
#define X1 10
#define P1 11
#else
#define B 8
#define X1 9
#define P1 10
#define C 11
#endif
#define bit(i) (1 << (i))
#define LAST 23
#define ALL (bit(LAST + 1) - 1)
/* Read-modify-writes: their exclusive loads, and their stores. */
#if FORM == 1
#define LOADS (bit(1) | bit(XL) | bit(X1) | bit(13) | bit(18) | bit(21))
#define STORES (bit(2) | bit(PL) | bit(P1) | bit(14) | bit(19) | bit(22))
#else
#define LOADS (bit(XL) | bit(X1) | bit(18) | bit(21))
#define STORES (bit(PL) | bit(P1) | bit(19) | bit(22))
#endif
#define before(i) (bit(i) - 1)
#define has(mask) ((done & (mask)) == (mask))

#if MACHINE == 0
#define mayStore(i) has(before(i))
#elif MACHINE == 1
#define mayStore(i) has(STORES & before(i))
#else
#define mayStore(i) has(LOADS & before(i))
#endif
#define mayLoad(i) has(STORES & before(i))
/* The reservation of a read-modify-write on the version is lost when the version is written meanwhile. */
#define mayExchange(i) has(before(i))
#if MACHINE == 2
#define isKept (reserved == versionWrites)
#else
#define isKept true
#endif

#define DO(i, condition, effect) :: atomic { !(done & bit(i)) && (condition) -> effect; done = done | bit(i) }
#define PLAIN(i, same, effect) DO(i, mayStore(i) && has(same), effect)
#define PUBLISH(x, p, value) \
  DO(x, mayLoad(x), reserved = versionWrites) \
  DO(p, mayExchange(p) && isKept, version = value; versionWrites++)
#if FORM == 1
#define RECORD(x, p, same, value) PUBLISH(x, p, value)
#else
#define RECORD(x, p, same, value) \
  DO(x, true, skip) \
  PLAIN(p, same, version = value; versionWrites++)
#endif

active proctype writer() {
  int done = 0;
  byte reserved;
  do
  PLAIN(0, 0, slots[1] = 1)
  RECORD(1, 2, 0, 1)
  PLAIN(S, 0, since[1] = 1)
  PLAIN(U, 0, unfinished[1] = 1)
  PLAIN(T, 0, total[1] = 1)
  DO(XL, mayLoad(XL), skip)
  DO(PL, mayExchange(PL), link = 1)
  PLAIN(B, 0, slots[0] = 0)
  PUBLISH(X1, P1, 2)
  PLAIN(C, bit(U), unfinished[1] = 0)
  PLAIN(12, bit(0), slots[1] = 1)
  RECORD(13, 14, bit(P1), 3)
  PLAIN(15, 0, since[0] = 3)
  PLAIN(16, 0, unfinished[0] = 1)
  PLAIN(17, 0, total[0] = 2)
  DO(18, mayLoad(18), skip)
  DO(19, mayExchange(19), link = 0)
  PLAIN(20, bit(B), slots[0] = 0)
  PUBLISH(21, 22, 4)
  PLAIN(23, bit(16), unfinished[0] = 0)
  :: done == ALL -> break
  od;
  writerDone = true
}

#define copied (r[0] && r[1] && r[2] && r[3] && r[4])
#if MACHINE == 2 && FORM == 1
#define mayReserve (looked && r[0])
#define mayRecheck (copied && reserved && reservation == versionWrites)
#elif MACHINE == 2
#define mayReserve false
#define mayRecheck (looked && r[0])
#else
#define mayReserve false
#define mayRecheck copied
#endif
#ifdef LINK_FIRST
#define mayLook r[0]
#define mayLink true
#else
#define mayLook true
#define mayLink looked
#endif

active proctype reader() {
  bool looked, reserved, rechecked;
  bool r[5];
  byte reservation;
  int v1, v2, named, began, open, carried, own;
  do
  :: atomic { !looked && mayLook -> v1 = version; looked = true }
  :: atomic { !r[0] && mayLink -> named = link; r[0] = true }
  :: atomic { r[0] && looked && !r[1] -> began = since[named]; r[1] = true }
  :: atomic { r[0] && looked && !r[2] -> open = unfinished[named]; r[2] = true }
  :: atomic { r[0] && looked && !r[3] -> carried = total[named]; r[3] = true }
  :: atomic { looked && !r[4] -> own = slots[v1 & 1]; r[4] = true }
  :: atomic { !reserved && mayReserve -> reservation = versionWrites; v2 = version; reserved = true }
  :: atomic { !rechecked && mayRecheck ->
       if :: reserved -> versionWrites++ :: else -> v2 = version fi;
       rechecked = true }
  :: copied && rechecked -> break
  od;
  writerDone;
#ifndef IGNORES
  if :: open == 1 && began == v1 -> own = 0 :: else fi;
#endif
  if
  :: v1 == v2 -> assert(carried + own == (v1 + 1) / 2)
  :: else
  fi
}
