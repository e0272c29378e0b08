/*
 * The histogram cell: slots of {count, bucket, bucket count} and two buckets outside them. Update k first stores the
 * redo entry of update k - 1 into the buckets, then fills the other slot, then publishes. A reader lays the entry of
 * the slot it accepted over the buckets it copied.
 *
 * MACHINE and the way of modelling: as in two-slot.pml. FORM 1 is STRICT, FORM 0 FAST.
 * SEQUENCE 0: the updates fall into buckets 0, 0, 1. SEQUENCE 1: 0, 1, 0.
 * Broken on purpose: NO_REDO (the bucket is changed in place before the publish), NO_OVERLAY (the reader does not
 * look at the redo entry).
 */
#ifndef MACHINE
#define MACHINE 0
#endif
#ifndef FORM
#define FORM 1
#endif
#ifndef SEQUENCE
#define SEQUENCE 0
#endif

/* Bucket of update k, and the count of bucket b after update k; k = 0 .. 3, bucket 0 stands for the first redo. */
#if SEQUENCE == 0
#define bucketOf(k) ((k) == 3 -> 1 : 0)
#define countOf(b, k) ((b) == 1 -> ((k) == 3 -> 1 : 0) : ((k) > 2 -> 2 : (k)))
#else
#define bucketOf(k) ((k) == 2 -> 1 : 0)
#define countOf(b, k) ((b) == 1 -> ((k) >= 2 -> 1 : 0) : ((k) == 0 -> 0 : ((k) == 3 -> 2 : 1)))
#endif

int version = 0;
int slots[6] = { 0, 0, 0, 99, 0, 99 };
int buckets[2];
byte versionWrites = 0;
bool writerDone = false;

/* Operations of update u (0, 1, 2): T = bucket store; A, B, C = slot words; X = exclusive load; P = publish. */
#define T(u) w[6 * (u)]
#define A(u) w[6 * (u) + 1]
#define B(u) w[6 * (u) + 2]
#define C(u) w[6 * (u) + 3]
#define X(u) w[6 * (u) + 4]
#define P(u) w[6 * (u) + 5]
#define before(u, op) (u == 0 || op)
#define before2(u, op) (u < 2 || op)
#ifdef NO_REDO
#define stored(u) bucketOf(u + 1)
#define storedCount(u) countOf(bucketOf(u + 1), u + 1)
#else
#define stored(u) bucketOf(u)
#define storedCount(u) countOf(bucketOf(u), u)
#endif
#define sameBucketDone(u) (u == 0 || stored(u) != stored(u - 1) || T(u - 1)) && (u < 2 || stored(u) != stored(u - 2) || T(u - 2))

#if MACHINE == 0
#define mayT(u) before(u, P(u - 1))
#define mayA(u) T(u)
#define mayB(u) A(u)
#define mayC(u) B(u)
#define mayX(u) false
#define mayP(u) C(u)
#elif FORM == 1 && MACHINE == 1
#define mayT(u) before(u, P(u - 1))
#define mayA(u) before(u, P(u - 1))
#define mayB(u) before(u, P(u - 1))
#define mayC(u) before(u, P(u - 1))
#define mayX(u) false
#define mayP(u) (T(u) && A(u) && B(u) && C(u))
#elif FORM == 1
#define mayT(u) (before(u, X(u - 1)) && sameBucketDone(u))
#define mayA(u) (before(u, X(u - 1)) && before2(u, A(u - 2)))
#define mayB(u) (before(u, X(u - 1)) && before2(u, B(u - 2)))
#define mayC(u) (before(u, X(u - 1)) && before2(u, C(u - 2)))
#define mayX(u) before(u, P(u - 1))
#define mayP(u) (T(u) && A(u) && B(u) && C(u) && X(u) && reserved == versionWrites)
#else
#define mayT(u) sameBucketDone(u)
#define mayA(u) before2(u, A(u - 2))
#define mayB(u) before2(u, B(u - 2))
#define mayC(u) before2(u, C(u - 2))
#define mayX(u) false
#define mayP(u) before(u, P(u - 1))
#endif

#define slotOf(v) (3 * ((v) & 1))
#define UPDATE(u) \
  :: atomic { !T(u) && mayT(u) -> buckets[stored(u)] = storedCount(u); T(u) = true } \
  :: atomic { !A(u) && mayA(u) -> slots[slotOf(u + 1)] = u + 1; A(u) = true } \
  :: atomic { !B(u) && mayB(u) -> slots[slotOf(u + 1) + 1] = bucketOf(u + 1); B(u) = true } \
  :: atomic { !C(u) && mayC(u) -> slots[slotOf(u + 1) + 2] = countOf(bucketOf(u + 1), u + 1); C(u) = true } \
  :: atomic { !X(u) && mayX(u) -> reserved = versionWrites; X(u) = true } \
  :: atomic { !P(u) && mayP(u) -> version = u + 1; versionWrites++; P(u) = true }
#define COMPLETE(u) (T(u) && A(u) && B(u) && C(u) && P(u))

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

#define copied (r[0] && r[1] && r[2] && r[3] && r[4])
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
  bool r[5];
  byte reservation;
  int v1, v2, count, bucket, redo, b0, b1;
  do
  :: atomic { !looked -> v1 = version; looked = true }
  :: atomic { looked && !r[0] -> count = slots[slotOf(v1)]; r[0] = true }
  :: atomic { looked && !r[1] -> bucket = slots[slotOf(v1) + 1]; r[1] = true }
  :: atomic { looked && !r[2] -> redo = slots[slotOf(v1) + 2]; r[2] = true }
  :: atomic { looked && !r[3] -> b0 = buckets[0]; r[3] = true }
  :: atomic { looked && !r[4] -> b1 = buckets[1]; r[4] = true }
  :: atomic { !reserved && mayReserve -> reservation = versionWrites; v2 = version; reserved = true }
  :: atomic { !rechecked && mayRecheck ->
       if :: reserved -> versionWrites++ :: else -> v2 = version fi;
       rechecked = true }
  :: copied && rechecked -> break
  od;
  writerDone;
  if
  :: v1 == v2 ->
#if !defined(NO_REDO) && !defined(NO_OVERLAY)
     if :: bucket == 0 -> b0 = redo :: else -> b1 = redo fi;
#endif
     assert(count == v1 && b0 == countOf(0, v1) && b1 == countOf(1, v1))
  :: else
  fi
}
