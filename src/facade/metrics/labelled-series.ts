import type { Attributes } from '@opentelemetry/api';
import { shortText } from '../../base/errors.ts';
import type { Warnings } from '../../base/warnings.ts';
import { canonicalAttributes } from '../../state/attributes.ts';
import { SeriesTable } from '../../state/series-table.ts';
import { isLabelName, type MetricDefinition } from './metric-definition.ts';
import type { MetricsLabels } from './metrics-provider.ts';

/**
 * How many label sets a metric may have; further ones share one series. Together they are OpenTelemetry's
 * default cardinality limit of 2000.
 */
const MAX_LABEL_SETS = 1999;
/** How many spellings of label sets are found fast: 200 and '200' are one set with two spellings. */
const MAX_WAYS = 4 * MAX_LABEL_SETS;

/** The labels of the series without labels. */
export const NO_LABELS: MetricsLabels = {};

const OVERFLOW: Attributes = { 'otel.metric.overflow': true };

/** The series of one metric by their labels. */
export class LabelledSeries<S> {
  readonly #definition: MetricDefinition;
  readonly #warnings: Warnings;
  readonly #make: (attributes: Attributes) => S;
  readonly #dropped: S;
  /**
   * From labels as callers write them to series: reference = index + 1. Most metrics have no labels, so it is
   * made when it is needed.
   */
  #ways: SeriesTable | undefined;
  readonly #series: S[] = [];
  /** From labels as text to the index of the series. */
  readonly #sets = new Map<string, number>();
  #overflow: S | undefined;

  /** `dropped`: the series for measurements that cannot be recorded. */
  constructor(
    definition: MetricDefinition,
    warnings: Warnings,
    make: (attributes: Attributes) => S,
    dropped: S,
  ) {
    this.#definition = definition;
    this.#warnings = warnings;
    this.#make = make;
    this.#dropped = dropped;
  }

  /** The series with these labels. Never throws. Allocates nothing for labels met before. */
  of(labels: unknown): S {
    try {
      const reference = typeof labels === 'object' && labels !== null ? (this.#ways?.find(labels) ?? 0) : 0;
      return reference > 0 ? this.#series[reference - 1]! : this.#admit(labels);
    } catch (error) {
      this.#warn('unreadable', `the labels cannot be read (${shortText(error)})`);
      return this.#dropped;
    }
  }

  #admit(labels: unknown): S {
    const attributes = this.#checked(labels);
    if (attributes === undefined) return this.#dropped;
    const key = JSON.stringify(attributes);
    let index = this.#sets.get(key);
    if (index === undefined) {
      if (this.#sets.size >= MAX_LABEL_SETS) return this.#overflowing();
      index = this.#series.push(this.#make(attributes)) - 1;
      this.#sets.set(key, index);
    }
    this.#learn(labels as object, index + 1);
    return this.#series[index]!;
  }

  #learn(labels: object, reference: number): void {
    if (labels === NO_LABELS) return; // is asked for once
    const way = canonicalAttributes(labels, () => {});
    this.#ways ??= new SeriesTable();
    if (this.#ways.size >= MAX_WAYS || this.#ways.get(way) !== 0) return;
    this.#ways.add(way, reference);
    this.#ways.learnShape(labels, way);
  }

  #overflowing(): S {
    this.#warnings.loss(
      'label sets',
      this.#definition.name,
      `${this.#definition.kind} ${this.#definition.name} has reached its limit of ${MAX_LABEL_SETS} sets of labels. All further sets are counted together in the series {otel.metric.overflow: true}. Use labels with fewer values`,
    );
    return (this.#overflow ??= this.#make(OVERFLOW));
  }

  /** Labels as attributes, sorted by name; undefined if they are not labels of the metric. */
  #checked(labels: unknown): Attributes | undefined {
    const { kind, labelNames } = this.#definition;
    if (typeof labels !== 'object' || labels === null || Array.isArray(labels))
      return this.#refused('type', `labels must be an object, got ${shortText(labels)}`);
    const names = Object.keys(labels).sort();
    if (labelNames !== undefined && names.join() !== labelNames.join())
      return this.#refused(
        `names ${names.join()}`,
        `labels must be ${labelNames.join(', ') || 'none'}, got ${names.map(shortText).join(', ') || 'none'}${names.length === 0 ? `; give them by labels(), as in labels({ ${labelNames[0]}: 'x' })` : ''}`,
      );
    const attributes: Record<string, string> = {};
    for (const name of names) {
      const value: unknown = (labels as Record<string, unknown>)[name];
      if (!isLabelName(name, kind))
        return this.#refused(`name ${name}`, `${shortText(name)} is not a valid label name`);
      if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean')
        return this.#refused(
          `value of ${name}`,
          `label ${name} must be a string, number or boolean, got ${shortText(value)}`,
        );
      attributes[name] = String(value);
    }
    return attributes;
  }

  #refused(cause: string, what: string): undefined {
    this.#warn(cause, what);
    return undefined;
  }

  #warn(cause: string, what: string): void {
    const { kind, name } = this.#definition;
    this.#warnings.loss(
      'labels',
      `${name} ${cause}`,
      `${kind} ${name}: ${what}; values recorded with these labels are ignored`,
    );
  }
}
