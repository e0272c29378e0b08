/** All rules, in the order in which they adapt a program. */
import type { Rule } from './rule.ts';
import { adviceIsChecked } from './rules/advice-is-checked.ts';
import { adviceIsNotExported } from './rules/advice-is-not-exported.ts';
import { attributesAreCopied } from './rules/attributes-are-copied.ts';
import { deltaIsADifference } from './rules/delta-is-a-difference.ts';
import { deltaPointsShareOneStart } from './rules/delta-points-share-one-start.ts';
import { exemplars } from './rules/exemplars.ts';
import { exponentialScales } from './rules/exponential-scales.ts';
import { namesIgnoreCase } from './rules/names-ignore-case.ts';
import {
  observedTotalsStartWithTheInstrument,
  whatIsNotObservedDisappears,
} from './rules/observed-series.ts';
import {
  observationsAreMadeOnce,
  theLaterObservationCounts,
  totalsAddUpInViews,
} from './rules/observed-twice.ts';
import { orderOfCreation } from './rules/order-of-creation.ts';
import { readersDoNotAffectEachOther } from './rules/readers-do-not-affect-each-other.ts';
import { scopeAttributes } from './rules/scope-attributes.ts';
import { secondsHaveBoundsOfTheirOwn } from './rules/seconds-have-bounds-of-their-own.ts';
import { seriesKeepTheirOrder } from './rules/series-keep-their-order.ts';
import { sumsAreAddedInOrder } from './rules/sums-are-added-in-order.ts';
import { theCardinalityLimitIsHard } from './rules/the-cardinality-limit-is-hard.ts';
import { valuesWithoutSenseAreRefused } from './rules/values-without-sense-are-refused.ts';
import { views } from './rules/views.ts';

export const RULES: readonly Rule[] = [
  namesIgnoreCase,
  observationsAreMadeOnce,
  views,
  scopeAttributes,
  valuesWithoutSenseAreRefused,
  totalsAddUpInViews,
  attributesAreCopied,
  adviceIsChecked,
  secondsHaveBoundsOfTheirOwn,
  adviceIsNotExported,
  exemplars,
  theCardinalityLimitIsHard,
  theLaterObservationCounts,
  readersDoNotAffectEachOther,
  whatIsNotObservedDisappears,
  observedTotalsStartWithTheInstrument,
  deltaPointsShareOneStart,
  orderOfCreation,
  seriesKeepTheirOrder,
  deltaIsADifference,
  exponentialScales,
  sumsAreAddedInOrder,
];
