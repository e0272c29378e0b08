/** What one reader collects does not depend on the others. The official SDK is run anew for each (see `runOfficial`). */
import type { Rule } from '../rule.ts';

export const readersDoNotAffectEachOther: Rule = {
  name: 'Readers do not affect each other',
  apply: (program) => ({ program }),
};
