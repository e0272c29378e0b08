/*
 * A writer that stops for ever after any of its stores, and its successor. The state is a count, kept twice in a slot.
 * What a stopped thread leaves is a prefix of its stores: those it made drain to memory, the others never were.
 *
 * The same for both forms: they differ in how the version is stored. Broken on purpose: CLASSIC (one slot, odd while writing).
 */

int version = 0;
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
     v = version;
     count = slots[slotOf(v)];
     OR_DIE; slots[slotOf(v + 1)] = count + 1;
     OR_DIE; slots[slotOf(v + 1) + 1] = count + 1;
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
  do
  :: updates < 2 ->
     v = version;
     count = slots[slotOf(v)];
     slots[slotOf(v + 1)] = count + 1;
     slots[slotOf(v + 1) + 1] = count + 1;
     atomic { version = v + 1; published++ };
     expectWhole();
     updates++
  :: else -> break
  od
#endif
}
