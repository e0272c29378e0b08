/*
 * A series of two writers that one of them removes (state/standing.ts). Part 0 is of writer A, part 1 of writer B, and
 * part 2 is the one that B makes when it has let go of part 1. Two readers look at any time, and may die after any step.
 * Then a third one looks, twice.
 *
 * A part has a state and the number of the removal that came next when it was made. A removal takes a number and ends
 * the parts whose numbers are not above it. B makes part 1 before the removal or after it.
 *
 * Checked: whoever looks finds either all parts that were made before the removal, or none of them; when all is quiet,
 * none of them, and the part that was made afterwards.
 * Broken on purpose:
 *   ENDED_FIRST    the reader ends part 0 before it tells B
 *   LOOKS_ONCE     the reader does not look again at the parts when it has found one that is over
 *   NO_NUMBERS     a removal ends every part that the reader meets
 */
#define NONE 0
#define COUNTS 1
#define REMOVED 2
#define ENDING 3
#define ENDED 4

byte state[3] = { COUNTS, NONE, NONE };
byte number[3] = { 0, 0, 0 };
byte removals = 0;
byte removal = 255;      /* number of the removal; 255: not yet */
bool before[3];          /* made before it */
byte quiet = 0;          /* writers that are done */

#define isOver(s) (s >= REMOVED)

inline make(i) { atomic { number[i] = removals; before[i] = (removal == 255); state[i] = COUNTS } }

proctype A() {
  atomic { removal = removals; removals++ }
  atomic { number[0] = removal; state[0] = REMOVED }
  removals++;
  quiet++
}

proctype B() {
  make(1);
  /* the event loop turns */
  if
  :: atomic { state[1] == ENDING -> state[1] = ENDED }; make(2)
  :: timeout
  fi;
  quiet++
}

/* One step of an owner's end. */
inline endPart(i) {
  atomic {
    if
#ifdef NO_NUMBERS
    :: state[i] == COUNTS -> state[i] = ENDING
#else
    :: state[i] == COUNTS && number[i] <= number[0] -> state[i] = ENDING
#endif
    :: else
    fi
  }
}

#define DIES if :: mortal -> goto died :: skip fi
inline look(i) { found[i] = state[i]; DIES }

inline follow() {
  found[0] = NONE; found[1] = NONE; found[2] = NONE;
  do
  :: look(0); look(1); look(2);
     if
     :: found[0] == REMOVED ->
#ifdef ENDED_FIRST
        state[0] = ENDED; DIES; endPart(1); DIES; endPart(2)
#else
        endPart(1); DIES; endPart(2); DIES; state[0] = ENDED
#endif
     :: else
     fi;
#ifdef LOOKS_ONCE
     break
#else
     if
     :: again || (!isOver(found[0]) && !isOver(found[1]) && !isOver(found[2])) -> break
     :: else -> again = true
     fi
#endif
  od;
  again = false;
  /* Parts that are met for the first time now may be missing; those that are there go together. */
  if
  :: found[1] != NONE && before[1] -> assert(isOver(found[0]) == isOver(found[1]))
  :: else
  fi
}

proctype reader() {
  byte found[3];
  bool again = false;
  bool mortal = true;
  follow();
died:
  skip
}

proctype last() {
  byte found[3];
  bool again = false;
  bool mortal = false;
  quiet == 2;
  follow();
  follow();
died:
  assert(isOver(found[0]));
  assert(found[1] == NONE || isOver(found[1]) == (number[1] <= number[0]))
}

init {
  atomic { before[0] = true; run A(); run B(); run reader(); run reader(); run last() }
}
