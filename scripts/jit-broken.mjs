/** Functions of the wrong shape, for check-jit.mjs to find wrong. Named like the real ones, called like them. */
export const addToSumFastPublishFirst = (words, doubles, at, delta) => {
  const version = words[at << 1];
  words[at << 1] = (version + 1) | 0;
  doubles[at + 1 + (~version & 1)] = doubles[at + 1 + (version & 1)] + delta;
};

export const addToSumFastTwoPublishes = (words, doubles, at, delta) => {
  const version = words[at << 1];
  words[at << 1] = (version + 1) | 0;
  doubles[at + 1 + (~version & 1)] = doubles[at + 1 + (version & 1)] + delta;
  words[at << 1] = (version + 2) | 0;
};

export const addToSumStrictStoreLast = (words, doubles, at, delta) => {
  const version = words[at << 1];
  Atomics.exchange(words, at << 1, (version + 1) | 0);
  doubles[at + 1 + (~version & 1)] = doubles[at + 1 + (version & 1)] + delta;
};

export const readConsistentFastPlainRecheck = (words, doubles, at, slotWords, tailWords, into) => {
  const version = Atomics.load(words, at << 1);
  for (let i = 0; i < slotWords + tailWords; i++) into[i] = doubles[at + i];
  return words[at << 1] === version ? 1 : 0;
};

export const readConsistentStrictLoadRecheck = (words, doubles, at, slotWords, tailWords, into) => {
  const version = Atomics.load(words, at << 1);
  for (let i = 0; i < slotWords + tailWords; i++) into[i] = doubles[at + i];
  return Atomics.load(words, at << 1) === version ? 1 : 0;
};
