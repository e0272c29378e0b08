/*
 * The mutex of the many-writer Seqlock, with the two-slot cell behind it. Three writers, two updates of the first and
 * one of each other; writer 1 may die after any step. Each atomic step of the model is one atomic step of the code.
 *
 * lock = holder, + WAITERS if someone may be asleep. A sleep ends by a wake-up or, unless NO_TIMEOUT, by itself.
 * Checked: one live thread inside; nothing lost, doubled or torn; nobody waits for ever.
 * Broken on purpose:
 *   NO_PROOF      a sleeper that wakes by itself takes the lock from whoever has it
 *   TWO_STEPS     the take-over tests and stores in two steps
 *   NO_TIMEOUT    sleeps end by wake-ups only: a death is never noticed, and nobody takes over
 * and, with NO_TIMEOUT and NO_DEATH, to show what the waiters bit is for:
 *   TAKES_BARE    a thread that has slept takes the lock without the bit
 */
#define WAITERS 8
#define holderOf(word) ((word) & 7)

int lock = 0;
int version = 0;
int slots[4] = { 0, 0, 99, 99 };
bool dead[4];
bool asleep[4];
byte inside = 0;
byte published = 0;
byte finished = 0;
#define slotOf(v) (2 * ((v) & 1))

#ifdef NO_DEATH
#define OR_DIE skip
#else
/* Dying and leaving the count of live threads inside is one step: it is bookkeeping of the model alone. */
#define OR_DIE if :: me == 1 -> goto died :: skip fi
#endif

#ifdef TAKES_BARE
#define mine me
#else
#define mine (me + WAITERS)
#endif

#ifdef NO_TIMEOUT
#define mayWakeAlone false
#else
#define mayWakeAlone true
#endif

proctype writer(byte me; byte updates) {
  int word, v, count;
  bool in, timedOut;
next:
  if
  :: updates == 0 -> goto done
  :: else -> updates--
  fi;
  atomic { if :: lock == 0 -> lock = me; in = true; inside++; goto entered :: else fi };
wait:
  OR_DIE;
  word = lock;
  if
  :: word == 0 ->
     atomic { if :: lock == 0 -> lock = mine; in = true; inside++; goto entered :: else -> goto wait fi }
  :: word != 0 && word < WAITERS ->
     atomic { if :: lock == word -> lock = word + WAITERS; word = word + WAITERS :: else -> goto wait fi }
  :: word >= WAITERS
  fi;
  OR_DIE;
  atomic { if :: lock == word -> asleep[me] = true :: else -> goto wait fi };
  if
  :: !asleep[me] -> goto wait
  :: atomic { mayWakeAlone && asleep[me] -> asleep[me] = false }
  fi;
#ifndef NO_PROOF
  if :: dead[holderOf(word)] :: else -> goto wait fi;
#endif
#ifdef TWO_STEPS
  if :: lock == word :: else -> goto wait fi;
  atomic { lock = mine; in = true; inside++; goto entered };
#else
  atomic { if :: lock == word -> lock = mine; in = true; inside++ :: else -> goto wait fi };
#endif

entered:
  assert(inside == 1);
  OR_DIE;
  v = version;
  count = slots[slotOf(v)];
  OR_DIE;
  slots[slotOf(v + 1)] = count + 1;
  OR_DIE;
  slots[slotOf(v + 1) + 1] = count + 1;
  OR_DIE;
  atomic { version = v + 1; published++ };
  OR_DIE;
  /* release: compare-and-exchange of the bare mark, else of mark and waiters bit, then wake one */
  atomic { if :: lock == me -> lock = 0; in = false; inside--; goto next :: else fi };
  OR_DIE;
  atomic { assert(lock == me + WAITERS); lock = 0; in = false; inside-- };
  OR_DIE;
  atomic {
    if
    :: asleep[1] -> asleep[1] = false
    :: asleep[2] -> asleep[2] = false
    :: asleep[3] -> asleep[3] = false
    :: !asleep[1] && !asleep[2] && !asleep[3]
    fi
  };
  goto next;
died:
  atomic { dead[me] = true; asleep[me] = false; if :: in -> inside-- :: else fi };
done:
  finished++
}

proctype reader() {
  int v, d0, d1;
  v = version;
  d0 = slots[slotOf(v)];
  d1 = slots[slotOf(v) + 1];
  if :: version == v -> assert(d0 == v && d1 == v) :: else fi
}

init {
  atomic { run writer(1, 2); run writer(2, 1); run writer(3, 1); run reader() };
  finished == 3;
  assert(version == published && slots[slotOf(version)] == published && slots[slotOf(version) + 1] == published)
}
