/** All rules, in the order in which they adapt a program. */
import type { Rule } from './rule.ts';
import { adviceIsChecked } from './rules/advice-is-checked.ts';
import { adviceIsNotExported } from './rules/advice-is-not-exported.ts';
import { attributesAreCopied } from './rules/attributes-are-copied.ts';
import { namesIgnoreCase } from './rules/names-ignore-case.ts';
import { orderOfCreation } from './rules/order-of-creation.ts';
import { sumsAreAddedInOrder } from './rules/sums-are-added-in-order.ts';
import { theCardinalityLimitIsHard } from './rules/the-cardinality-limit-is-hard.ts';
import { valuesWithoutSenseAreRefused } from './rules/values-without-sense-are-refused.ts';

export const RULES: readonly Rule[] = [
  valuesWithoutSenseAreRefused,
  attributesAreCopied,
  namesIgnoreCase,
  adviceIsChecked,
  adviceIsNotExported,
  theCardinalityLimitIsHard,
  orderOfCreation,
  sumsAreAddedInOrder,
];
