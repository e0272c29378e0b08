/** The app's books as the samples a Prometheus server should have, and what it has in the same form. */
import {
  nameAndAttributes,
  seriesKey,
  type BookedHistogram,
  type Books,
  type Labels,
} from '../app/account.ts';
import { BOUNDS, PROMETHEUS_NAMES, SCOPE } from '../app/instruments.ts';
import type { Sample } from '../servers/prometheus.ts';

export type Naming = 'ours' | 'official' | 'otlp';

export function expectedSamples(books: Books, naming: Naming): Books {
  const samples: Books = {};
  for (const [key, value] of Object.entries(books)) {
    const [name, attributes] = nameAndAttributes(key);
    const sampleName = PROMETHEUS_NAMES[name]![naming];
    const labels = {
      ...Object.fromEntries(Object.entries(attributes).map(([label, text]) => [label, String(text)])),
      otel_scope_name: SCOPE.name,
      otel_scope_version: SCOPE.version,
    };
    if (typeof value === 'number') samples[seriesKey(sampleName, labels)] = value;
    else Object.assign(samples, histogramSamples(sampleName, labels, value));
  }
  return samples;
}

function histogramSamples(name: string, labels: Labels, { count, sum, buckets }: BookedHistogram): Books {
  const samples: Books = {
    [seriesKey(`${name}_count`, labels)]: count,
    [seriesKey(`${name}_sum`, labels)]: sum,
  };
  let below = 0;
  [...BOUNDS, Infinity].forEach((bound, i) => {
    below += buckets[i]!;
    samples[seriesKey(`${name}_bucket`, { ...labels, le: String(bound) })] = below;
  });
  return samples;
}

/** What was recorded: not what the server and the package add, samples and labels. */
export function arrivedSamples(samples: readonly Sample[]): Books {
  return Object.fromEntries(
    samples
      .filter(({ name, labels }) => labels['otel_scope_name'] === SCOPE.name && !name.endsWith('_created'))
      .map(({ name, labels, value }) => {
        const kept = Object.entries(labels).filter(([label]) => label !== 'job' && label !== 'instance');
        const sameBounds = kept.map(([label, text]) => [label, label === 'le' ? String(bound(text)) : text]);
        return [seriesKey(name, Object.fromEntries(sameBounds) as Labels), value];
      }),
  );
}

/** Formats differ in how they write a bound: 1, 1.0. */
function bound(text: string): number {
  return text === '+Inf' ? Infinity : Number(text);
}
