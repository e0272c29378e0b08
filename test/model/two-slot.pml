/*
 * The two-slot cell: three updates by one writer, one attempt of each reader. Slots of two words, so that a state
 * can be torn. Version v means slot v & 1 holds update v in both its words.
 *
 * Every access is an operation that may be performed once those it must follow are done; the order among the rest is
 * free. Which must follow which is what the machines differ in:
 *   MACHINE 0  x64 as compiled: program order. (TSO lets only a load overtake an earlier store, and no thread here
 *              has a load after a plain store to another word whose order matters: the writer loads nothing shared.)
 *   MACHINE 1  x64 behind a compiler that uses all its licence: plain accesses to different words change places,
 *              nothing crosses an Atomics call.
 *   MACHINE 2  arm64: same-word order; Atomics.load = LDAR, nothing after it is earlier; Atomics.store = STLR,
 *              nothing before it is later; read-modify-write = LDAXR and STLXR, the latter succeeds only if the word
 *              was not written between the two.
 * FORM 0 FAST (plain publish, Atomics.load re-check), 1 STRICT (read-modify-write for both).
 * Broken on purpose: NO_RECHECK, CLOSE (accepts v + 1), PLAIN_LOADS (version loaded plainly), ONE_SLOT,
 * PUBLISH_FIRST, STORE_PUBLISH (STRICT, but Atomics.store), LOAD_RECHECK (STRICT, but Atomics.load).
 */
#ifndef MACHINE
#define MACHINE 0
#endif
#ifndef FORM
#define FORM 1
#endif
#ifndef READERS
#define READERS 1
#endif

#define UPDATES 3
#define RMW_PUBLISH (FORM == 1 && !defined(STORE_PUBLISH))
#define RMW_RECHECK (FORM == 1 && !defined(LOAD_RECHECK))

int version = 0;
int slots[4] = { 0, 0, 99, 99 };   /* slot 0: state 0; slot 1: rubbish */
byte versionWrites = 0;            /* what an exclusive reservation watches */
bool writerDone = false;

/* Operations of update u (0, 1, 2): A, B = its slot words; X = exclusive load; P = publish. */
#define A(u) w[4 * (u)]
#define B(u) w[4 * (u) + 1]
#define X(u) w[4 * (u) + 2]
#define P(u) w[4 * (u) + 3]
#define before(u, op) (u == 0 || op)
#define before2(u, op) (u < 2 || op)

#if MACHINE == 0
#ifdef PUBLISH_FIRST
#define mayP(u) before(u, B(u - 1))
#define mayA(u) P(u)
#else
#define mayP(u) (B(u))
#define mayA(u) before(u, P(u - 1))
#endif
#define mayB(u) A(u)
#endif

#if MACHINE == 1
#if FORM == 0
#define mayA(u) before2(u, A(u - 2))
#define mayB(u) before2(u, B(u - 2))
#define mayP(u) before(u, P(u - 1))
#else
#define mayA(u) before(u, P(u - 1))
#define mayB(u) before(u, P(u - 1))
#define mayP(u) (A(u) && B(u))
#endif
#endif

#if MACHINE == 2
#if FORM == 0
#define mayA(u) before2(u, A(u - 2))
#define mayB(u) before2(u, B(u - 2))
#define mayP(u) before(u, P(u - 1))
#elif RMW_PUBLISH
#define mayA(u) (before(u, X(u - 1)) && before2(u, A(u - 2)))
#define mayB(u) (before(u, X(u - 1)) && before2(u, B(u - 2)))
#define mayX(u) before(u, P(u - 1))
#define mayP(u) (A(u) && B(u) && X(u) && reserved == versionWrites)
#else
#define mayA(u) before2(u, A(u - 2))
#define mayB(u) before2(u, B(u - 2))
#define mayP(u) (A(u) && B(u) && before(u, P(u - 1)))
#endif
#endif

#ifdef ONE_SLOT
#define slotOf(v) 0
#else
#define slotOf(v) (2 * ((v) & 1))
#endif

#if MACHINE == 2 && RMW_PUBLISH
#define RESERVE(u) :: atomic { !X(u) && mayX(u) -> reserved = versionWrites; X(u) = true }
#else
#define RESERVE(u)
#endif

#define UPDATE(u) \
  :: atomic { !A(u) && mayA(u) -> slots[slotOf(u + 1)] = u + 1; A(u) = true } \
  :: atomic { !B(u) && mayB(u) -> slots[slotOf(u + 1) + 1] = u + 1; B(u) = true } \
  RESERVE(u) \
  :: atomic { !P(u) && mayP(u) -> version = u + 1; versionWrites++; P(u) = true }

active proctype writer() {
  bool w[12];
  byte reserved;
  do
  UPDATE(0)
  UPDATE(1)
  UPDATE(2)
  :: A(0) && B(0) && P(0) && A(1) && B(1) && P(1) && A(2) && B(2) && P(2) -> break
  od;
  writerDone = true
}

/* The data loads wait for the first version load on every machine: their address depends on it. */
#if defined(PLAIN_LOADS) && MACHINE > 0
#define mayRecheck looked
#define mayReserve false
#elif MACHINE == 2 && RMW_RECHECK
#define mayReserve looked
#define mayRecheck (first && second && reserved && reservation == versionWrites)
#elif MACHINE == 2
#define mayReserve false
#define mayRecheck looked
#else
#define mayReserve false
#define mayRecheck (first && second)
#endif

active [READERS] proctype reader() {
  bool looked, first, second, reserved, rechecked;
  byte reservation;
  int v1, v2, d0, d1;
  do
  :: atomic { !looked -> v1 = version; looked = true }
  :: atomic { looked && !first -> d0 = slots[slotOf(v1)]; first = true }
  :: atomic { looked && !second -> d1 = slots[slotOf(v1) + 1]; second = true }
  :: atomic { !reserved && mayReserve -> reservation = versionWrites; v2 = version; reserved = true }
  :: atomic { !rechecked && mayRecheck ->
       if
       :: reserved -> versionWrites++     /* stores back what it loaded */
       :: else -> v2 = version
       fi;
       rechecked = true }
  :: looked && first && second && rechecked -> break
  od;
  writerDone;   /* a reservation that was lost is no execution: judge those that came to their end */
#ifdef NO_RECHECK
  v2 = v1;
#endif
#ifdef CLOSE
  if :: v2 == v1 + 1 -> v2 = v1 :: else fi;
#endif
  if
  :: v1 == v2 -> assert(d0 == v1 && d1 == v1)
  :: else
  fi
}
