/*
 * A writer that stops for ever after any of its stores, and its successor. The state is a count, kept twice in a slot.
 * What a stopped thread leaves is a prefix of its stores: those it made drain to memory, the others never were.
 *
 * FORM 0 FAST, 1 STRICT: the writer works from the mirror of the version, which it stores before the publish.
 * Broken on purpose: CLASSIC (one slot, odd while writing), NO_ADOPTION (the successor trusts the mirror as it is).
 */
#ifndef FORM
#define FORM 1
#endif

int version = 0;
int mirror = 0;
int slots[4] = { 0, 0, 99, 99 };
bool dead = false;
byte published = 0;

#define OR_DIE if :: goto died :: skip fi
#define slotOf(v) (2 * ((v) & 1))

active proctype writer() {
  byte updates;
  int v, count;
  do
  :: updates < 2 ->
#ifdef CLASSIC
     OR_DIE; version++;
     OR_DIE; slots[0]++;
     OR_DIE; slots[1]++;
     OR_DIE; atomic { version++; published++ };
#else
#if FORM == 1
     v = mirror;
#else
     v = version;
#endif
     count = slots[slotOf(v)];
     OR_DIE; slots[slotOf(v + 1)] = count + 1;
     OR_DIE; slots[slotOf(v + 1) + 1] = count + 1;
#if FORM == 1
     OR_DIE; mirror = v + 1;
#endif
     OR_DIE; atomic { version = v + 1; published++ };
#endif
     updates++
  :: else -> break
  od;
died:
  dead = true
}

inline expectWhole() {
#ifdef CLASSIC
  assert((version & 1) == 0);   /* else a reader waits for ever */
  assert(slots[0] == published && slots[1] == published);
#else
  assert(slots[slotOf(version)] == published && slots[slotOf(version) + 1] == published);
#endif
}

active proctype successor() {
  byte updates;
  int v, count;
  dead;
  expectWhole();
#ifndef CLASSIC
#ifndef NO_ADOPTION
  mirror = version;
#endif
  do
  :: updates < 2 ->
#if FORM == 1
     v = mirror;
#else
     v = version;
#endif
     count = slots[slotOf(v)];
     slots[slotOf(v + 1)] = count + 1;
     slots[slotOf(v + 1) + 1] = count + 1;
#if FORM == 1
     mirror = v + 1;
#endif
     atomic { version = v + 1; published++ };
     expectWhole();
     updates++
  :: else -> break
  od
#endif
}
