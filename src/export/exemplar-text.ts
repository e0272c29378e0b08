/** Exemplars as Prometheus and OpenMetrics show them: one a counter, one a bucket. */
import { isEarlier } from '../collect/hr-time.ts';
import type { Exemplar } from '../collect/metric-data.ts';
import { labelText, SharedLabels, type LabelPair, type LabelWriter } from './label-text.ts';
import { numberText } from './number-text.ts';

/**
 * How many characters the names and values of an exemplar's labels may have together (OpenMetrics 1.0,
 * exemplars).
 */
const MAX_CHARACTERS = 128;

/** An attribute with one of these names is called `exported_...`. */
const IDS = new SharedLabels(new Set(['trace_id', 'span_id']));

/** The newest exemplar of each bucket that has one. Without bounds there is one bucket, 0. */
export function newestByBucket(
  exemplars: readonly Exemplar[],
  boundaries: readonly number[],
): ReadonlyMap<number, Exemplar> {
  const newest = new Map<number, Exemplar>();
  for (const exemplar of exemplars) {
    let bucket = 0;
    while (bucket < boundaries.length && exemplar.value > boundaries[bucket]!) bucket++;
    const other = newest.get(bucket);
    if (other === undefined || !isEarlier(exemplar.timestamp, other.timestamp)) newest.set(bucket, exemplar);
  }
  return newest;
}

/** Ids first, then as many of the filtered attributes as fit. */
export function exemplarLabels(
  { traceId, spanId, filteredAttributes }: Exemplar,
  labels: LabelWriter,
): LabelPair[] {
  const pairs: LabelPair[] = [];
  let left = MAX_CHARACTERS;
  const add = (pair: LabelPair): void => {
    const characters = charactersOf(pair.name) + charactersOf(pair.value);
    if (characters > left) return;
    left -= characters;
    pairs.push(pair);
  };
  if (traceId !== undefined) add({ name: 'trace_id', value: traceId });
  if (spanId !== undefined) add({ name: 'span_id', value: spanId });
  for (const pair of labels.pairs(filteredAttributes, IDS)) add(pair);
  return pairs;
}

function charactersOf(text: string): number {
  let characters = 0;
  for (const _ of text) characters++;
  return characters;
}

/**
 * What follows a number in an OpenMetrics text: ` # {trace_id="..."} 0.67 1520879607.789`. Made once for each
 * exemplar.
 */
export class ExemplarTexts {
  readonly #labels: LabelWriter;
  readonly #texts = new WeakMap<Exemplar, Buffer>();

  constructor(labels: LabelWriter) {
    this.#labels = labels;
  }

  textOf(exemplar: Exemplar): Buffer {
    let text = this.#texts.get(exemplar);
    if (text === undefined) {
      const [seconds, nanos] = exemplar.timestamp;
      const time = Math.round(seconds * 1e3 + nanos / 1e6) / 1e3;
      const labels = labelText(exemplarLabels(exemplar, this.#labels));
      text = Buffer.from(` # {${labels}} ${numberText(exemplar.value)} ${time}`, 'utf8');
      this.#texts.set(exemplar, text);
    }
    return text;
  }
}
