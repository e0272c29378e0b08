import { inspect } from 'node:util';

// https://prometheus.io/docs/concepts/data_model/#metric-names-and-labels
const METRIC_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

/** Whether Prometheus takes this as a metric's name. */
export function validateMetricName(name: string): boolean {
  return METRIC_NAME.test(name);
}

export function validateLabelNames(names: readonly string[] = []): boolean {
  return names.every((name) => LABEL_NAME.test(name));
}

/** Throws if a label was not declared. */
export function validateLabels(declared: readonly string[], labels: object): void {
  // oxlint-disable-next-line guard-for-in -- prom-client looks at inherited labels too
  for (const label in labels)
    if (!declared.includes(label))
      throw new Error(`Added label "${label}" is not included in initial labelset: ${inspect(declared)}`);
}

export function isObject(value: unknown): value is object {
  return value !== null && typeof value === 'object';
}
