/*
 * The move of the exponential histogram cell: slots of {count, array} and two arrays of two words outside them. Every update of this
 * model moves: it writes the array that the published slot does not point to, whole, then fills the other slot, which points
 * there, then publishes. A reader copies a slot and then the array that slot points to. In the product the array an update has left may be written by a
 * move of another cell of the writer before the next update of this one: such stores come after the same publish as those of E and F here, and the
 * reader looks at the version of this cell alone. (The redo entry, which a move leaves as it
 * is, has a model of its own: histogram.pml.)
 *
 * MACHINE and the way of modelling: as in two-slot.pml. FORM 1 is STRICT, FORM 0 FAST.
 * Broken on purpose: ONE_ARRAY (counts are moved within the array the readers look at), LATE (the array is written after the publish).
 */
#ifndef MACHINE
#define MACHINE 0
#endif
#ifndef FORM
#define FORM 1
#endif

/* Update k = 1 .. 3 leaves the words k and 10 + k in its array; 0 is the state before. */
#ifdef ONE_ARRAY
#define arrayOf(k) 0
#else
#define arrayOf(k) ((k) & 1)
#endif

int version = 0;
int slots[4] = { 0, 0, 99, 99 };
int words[4] = { 0, 10, 99, 99 };
byte versionWrites = 0;
bool writerDone = false;

/* Operations of update u (0, 1, 2): E, F = array words; A, B = slot words; X = exclusive load; P = publish. */
#define E(u) w[6 * (u)]
#define F(u) w[6 * (u) + 1]
#define A(u) w[6 * (u) + 2]
#define B(u) w[6 * (u) + 3]
#define X(u) w[6 * (u) + 4]
#define P(u) w[6 * (u) + 5]
#define before(u, op) (u == 0 || op)
#define before2(u, op) (u < 2 || op)
/* Stores to one word stay in order on every machine. */
#ifdef ONE_ARRAY
#define sameArray(u, op) before(u, op(u - 1))
#else
#define sameArray(u, op) before2(u, op(u - 2))
#endif

#ifdef LATE
#define written(u) true
#define mayE(u) P(u)
#define mayF(u) E(u)
#else
#define written(u) (E(u) && F(u))
#endif

#if MACHINE == 0
#ifndef LATE
#define mayE(u) before(u, P(u - 1))
#define mayF(u) E(u)
#define mayA(u) F(u)
#else
#define mayA(u) before(u, F(u - 1))
#endif
#define mayB(u) A(u)
#define mayX(u) false
#define mayP(u) B(u)
#elif FORM == 1 && MACHINE == 1
#ifndef LATE
#define mayE(u) before(u, P(u - 1))
#define mayF(u) before(u, P(u - 1))
#endif
#define mayA(u) before(u, P(u - 1))
#define mayB(u) before(u, P(u - 1))
#define mayX(u) false
#define mayP(u) (written(u) && A(u) && B(u))
#elif FORM == 1
#ifndef LATE
#define mayE(u) (before(u, X(u - 1)) && sameArray(u, E))
#define mayF(u) (before(u, X(u - 1)) && sameArray(u, F))
#endif
#define mayA(u) (before(u, X(u - 1)) && before2(u, A(u - 2)))
#define mayB(u) (before(u, X(u - 1)) && before2(u, B(u - 2)))
#define mayX(u) before(u, P(u - 1))
#define mayP(u) (written(u) && A(u) && B(u) && X(u) && reserved == versionWrites)
#else
#ifndef LATE
#define mayE(u) sameArray(u, E)
#define mayF(u) sameArray(u, F)
#endif
#define mayA(u) before2(u, A(u - 2))
#define mayB(u) before2(u, B(u - 2))
#define mayX(u) false
#define mayP(u) before(u, P(u - 1))
#endif

#define slotOf(v) (2 * ((v) & 1))
#define UPDATE(u) \
  :: atomic { !E(u) && mayE(u) -> words[2 * arrayOf(u + 1)] = u + 1; E(u) = true } \
  :: atomic { !F(u) && mayF(u) -> words[2 * arrayOf(u + 1) + 1] = 11 + u; F(u) = true } \
  :: atomic { !A(u) && mayA(u) -> slots[slotOf(u + 1)] = u + 1; A(u) = true } \
  :: atomic { !B(u) && mayB(u) -> slots[slotOf(u + 1) + 1] = arrayOf(u + 1); B(u) = true } \
  :: atomic { !X(u) && mayX(u) -> reserved = versionWrites; X(u) = true } \
  :: atomic { !P(u) && mayP(u) -> version = u + 1; versionWrites++; P(u) = true }
#define COMPLETE(u) (E(u) && F(u) && A(u) && B(u) && P(u))

active proctype writer() {
  bool w[18];
  byte reserved;
  do
  UPDATE(0)
  UPDATE(1)
  UPDATE(2)
  :: COMPLETE(0) && COMPLETE(1) && COMPLETE(2) -> break
  od;
  writerDone = true
}

#define copied (r[0] && r[1] && r[2] && r[3])
#if MACHINE == 2 && FORM == 1
#define mayReserve looked
#define mayRecheck (copied && reserved && reservation == versionWrites)
#elif MACHINE == 2
#define mayReserve false
#define mayRecheck looked
#else
#define mayReserve false
#define mayRecheck copied
#endif

active proctype reader() {
  bool looked, reserved, rechecked;
  bool r[4];
  byte reservation;
  int v1, v2, count, array, first, second;
  do
  :: atomic { !looked -> v1 = version; looked = true }
  :: atomic { looked && !r[0] -> count = slots[slotOf(v1)]; r[0] = true }
  /* What is no number of an array stands for array 0, as in the code. */
  :: atomic { looked && !r[1] -> array = (slots[slotOf(v1) + 1] == 1 -> 1 : 0); r[1] = true }
  :: atomic { r[1] && !r[2] -> first = words[2 * array]; r[2] = true }
  :: atomic { r[1] && !r[3] -> second = words[2 * array + 1]; r[3] = true }
  :: atomic { !reserved && mayReserve -> reservation = versionWrites; v2 = version; reserved = true }
  :: atomic { !rechecked && mayRecheck ->
       if :: reserved -> versionWrites++ :: else -> v2 = version fi;
       rechecked = true }
  :: copied && rechecked -> break
  od;
  writerDone;
  if
  :: v1 == v2 -> assert(count == v1 && first == v1 && second == 10 + v1)
  :: else
  fi
}
