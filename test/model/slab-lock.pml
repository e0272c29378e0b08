/*
 * A slab that threads of several processes may own, one after the other, with the two-slot cell in it. Three threads,
 * each in a process of its own; any of the first two may die after any step. The owner is who holds the lock on the
 * slab's file: the kernel frees it when its holder dies, in one step with the death, and not before. The owner word
 * says who took the slab last; minus that while it is being taken over.
 *
 * A thread takes the slab so: it looks at the word; it tries the lock; having it, it changes the word from what it saw
 * to minus its mark, takes the cell over, and stores its mark. It keeps the lock as long as it lives. A reader tries the
 * lock too, shared and for a moment, to say whether the owner lives: who wants the slab then fails, and tries again.
 *
 * Memory: extent e is backed before it is claimed; a claim is one compare-and-swap; the end is moved after it, by whoever
 * comes next if the claimer died.
 *
 * Checked: one live thread at a time writes the cell; no published update is lost and none is torn; the reader calls
 * nobody dead who writes; whoever wants the slab gets it in the end; what is claimed is backed, and the end passes no
 * extent that nobody claimed.
 * Broken on purpose:
 *   BY_NUMBER      the word alone decides, by thread ids, and each process counts its own from 1 (PID namespaces)
 *   BY_TIME        the slab is taken from one who has not been heard of for a time: who sleeps is not dead
 *   NOT_KEPT       the lock is given back as soon as the slab is taken
 *   CLAIM_FIRST    an extent is claimed, then backed
 *   NO_HELP        nobody moves the end for a dead claimer: the next claims the same extent for ever
 *   TRIES_ONCE     who finds the lock held looks no more, though it was a reader that looked
 *   LOST           other code of the owner's process closes the descriptor, and with it the lock, while the owner lives
 */
#define FREE 0

int word = 0;        /* the owner word */
byte lock = FREE;    /* holder of the exclusive lock */
byte looking = 0;    /* readers that hold it shared */
bool alive[4];
byte writing = 0;    /* live threads that are among the stores of an update */

int version = 0;
int slots[4] = { 0, 0, 99, 99 };
byte published = 0;

bool backed[4];
byte claimed[4];     /* by whom */
byte end = 0;
byte wanted = 3;     /* threads that have not had the slab, and live */
bool wasOwner[4];

#define slotOf(v) (2 * ((v) & 1))
#define DIES if :: me < 3 -> goto died :: skip fi

/* Kernel: the death of a process is the end of its locks. */
inline dieNow() {
  atomic {
    alive[me] = false;
    if :: lock == me -> lock = FREE :: else fi;
    if :: in -> writing-- :: else fi;
    if :: !wasOwner[me] -> wanted-- :: else fi
  }
}

proctype thread(byte me) {
  int seen, v, count;
  byte e, updates;
  bool in, mine;

again:
  seen = word;
#ifndef BY_NUMBER /* the owner's id is this thread's own, which took nothing: it must be a dead predecessor's */
  if
  :: atomic { lock == FREE && looking == 0 -> lock = me }
#ifdef BY_TIME
  :: seen != 0 /* not heard of for a time, says the clock */
#elif defined(TRIES_ONCE)
  :: !(lock == FREE && looking == 0) -> goto done
#endif
  fi;
#endif
  DIES;
  atomic {
    if
    :: word == seen -> word = -me
    :: else ->
      if :: lock == me -> lock = FREE :: else fi;
      goto again
    fi
  };
  DIES;
  atomic { word = me; wasOwner[me] = true; wanted-- };
#ifdef NOT_KEPT
  atomic { if :: lock == me -> lock = FREE :: else fi };
#endif

  /* An extent: backed, claimed, and the end moved past it. */
claim:
  e = end;
#ifndef CLAIM_FIRST
  backed[e] = true;
  DIES;
#endif
  atomic { mine = (claimed[e] == 0); if :: mine -> claimed[e] = me :: else fi };
  DIES;
#ifdef CLAIM_FIRST
  if :: mine -> backed[e] = true :: else fi;
  DIES;
#endif
#ifdef NO_HELP
  if :: mine -> atomic { if :: end == e -> end = e + 1 :: else fi } :: else -> skip fi;
#else
  atomic { if :: end == e -> end = e + 1 :: else fi };
#endif
  if :: mine -> seen = 0; e = 0; mine = false :: !mine && end != e -> goto claim fi;

update:
  do
  :: updates < 1 ->
#ifdef LOST
     if
     :: atomic { lock == me && me == 1 -> lock = FREE }
     :: skip
     fi;
#endif
     v = version;
     count = slots[slotOf(v)];
     atomic { in = true; writing++; assert(writing == 1) };
     slots[slotOf(v + 1)] = count + 1;
     DIES;
     slots[slotOf(v + 1) + 1] = count + 1;
     DIES;
     atomic { version = v + 1; published++; in = false; writing-- };
     v = 0; count = 0; updates++
  :: else -> break
  od;
  /* It ends as a thread does: nothing of ours runs, and the kernel frees the lock. */
died:
  dieNow();
  seen = 0; v = 0; count = 0; e = 0; updates = 0; in = false; mine = false;
  goto done;
done:
  skip
}

proctype reader() {
  byte looks, x;
  int v, d0, d1, owner;
  bool dead;
  do
  :: looks < 2 ->
     /* Does the owner live? */
     owner = word;
     atomic {
       dead = (lock == FREE);
       if :: dead -> looking++ :: else fi
     };
     if
     :: dead ->
        atomic { if :: owner > 0 && word == owner -> assert(!alive[owner]) :: else fi };
        looking--
     :: else
     fi;
     /* A snapshot: every claimed extent is read up to the end, then the cell. */
     atomic {
       do
       :: x < end -> assert(claimed[x] != 0 && backed[x]); x++
       :: else -> x = 0; break
       od
     };
     v = version;
     d0 = slots[slotOf(v)];
     d1 = slots[slotOf(v) + 1];
     if :: version == v -> assert(d0 == v && d1 == v) :: else fi;
     v = 0; d0 = 0; d1 = 0; owner = 0; looks++
  :: else -> break
  od
}

init {
  atomic {
    alive[1] = true; alive[2] = true; alive[3] = true;
    run thread(1); run thread(2); run thread(3); run reader()
  };
  /* Threads that end die; so all who lived had the slab, unless they died before. */
  (!alive[1] && !alive[2] && !alive[3]);
  assert(wanted == 0);
  assert(version == published && slots[slotOf(version)] == published && slots[slotOf(version) + 1] == published)
}
