/**
 * Which metric goes into which Prometheus family. Conflicts are settled here: the metric that comes first
 * wins, the other is left out, and a warning names both.
 */
import type { Attributes } from '@opentelemetry/api';
import { BY_NAME_SCOPE } from '../base/by-name-scope.ts';
import type { Warnings } from '../base/warnings.ts';
import { shortText } from '../base/errors.ts';
import type { ColumnKind, MetricColumn, MetricColumns } from '../collect/rows/column.ts';
import { escapedName, metricName, type EscapingScheme, type TranslationStrategy } from './prometheus-name.ts';

/** What makes two texts of the same metrics differ. */
export interface Dialect {
  readonly openMetrics: boolean;
  readonly escaping: EscapingScheme;
}

/** Options of every exposition. All have the defaults of the OpenTelemetry specification. */
export interface ExpositionOptions {
  /**
   * How names are translated. Default `UnderscoreEscapingWithSuffixes`. Metrics of `createMetricsProvider`
   * have Prometheus names already and keep them.
   */
  readonly translationStrategy?: TranslationStrategy;
  /**
   * Leaves units out of the names: `job_duration` and not `job_duration_seconds`. These are the names that
   * `@opentelemetry/exporter-prometheus` gives. Default false.
   */
  readonly withoutUnits?: boolean;
  /** The labels `otel_scope_...`. Default true. */
  readonly scopeInfoEnabled?: boolean;
  /** The metric `target_info`. Default true. */
  readonly targetInfoEnabled?: boolean;
  /**
   * Resource attributes that are labels of `target_info`: those whose key it matches. Default: all but what
   * shows the command line, the owner or paths of the process, which may have passwords in them.
   */
  readonly targetInfoAttributes?: RegExp | readonly string[];
  /** Resource attributes that become labels of every sample: those whose key it matches. Default none. */
  readonly resourceConstantLabels?: RegExp | readonly string[];
  /** `_created` samples in OpenMetrics, which say when a series started. Default true. */
  readonly created?: boolean;
}

type ColumnType = 'counter' | 'gauge' | 'histogram';

export type FamilyType = ColumnType | 'info' | 'unknown';

export interface PlannedFamily {
  /** As TYPE, HELP and UNIT lines name it; not quoted. */
  readonly name: string;
  /** As samples begin, before `_bucket` and the like. */
  readonly sampleName: string;
  readonly type: FamilyType;
  /** Empty where there is none; text 0.0.4 does not show it. */
  readonly unit: string;
  help: string;
  readonly columns: MetricColumn[];
}

export interface FamilyPlan {
  readonly families: readonly PlannedFamily[];
  /** Present unless left out: name of the target family. */
  readonly targetInfo: PlannedFamily | undefined;
}

/** What `target_info` does not show unless it is asked for (semantic conventions of processes). */
const OF_THE_OWNER_ALONE =
  /^process\.(command|title|owner|working_directory|environment_variable|executable|(real_|saved_)?user\b)/;

/** The resource attributes that `target_info` has as labels. */
export function targetAttributes(
  attributes: Attributes,
  { targetInfoAttributes: wanted, resourceConstantLabels: constant }: ExpositionOptions,
): Attributes {
  return chosen(
    attributes,
    (key) =>
      (wanted === undefined ? !OF_THE_OWNER_ALONE.test(key) : matches(key, wanted)) ||
      (constant !== undefined && matches(key, constant)), // labels of samples are labels of the target
  );
}

/** The resource attributes that are labels of every sample. */
export function constantLabels(
  attributes: Attributes,
  { resourceConstantLabels: wanted }: ExpositionOptions,
): Attributes {
  return chosen(attributes, (key) => wanted !== undefined && matches(key, wanted));
}

function chosen(attributes: Attributes, isWanted: (key: string) => boolean): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([key]) => isWanted(key)));
}

function matches(key: string, wanted: RegExp | readonly string[]): boolean {
  return wanted instanceof RegExp ? key.search(wanted) !== -1 : wanted.includes(key);
}

/** Plans the families of a snapshot, in the order of their first metrics. */
export function planFamilies(
  { columns, resource }: MetricColumns,
  dialect: Dialect,
  options: ExpositionOptions,
  warnings: Warnings,
): FamilyPlan {
  const taken = new Map<string, PlannedFamily>(); // every name that a sample or a family has
  const families = new Map<string, PlannedFamily>();
  const targetInfo =
    options.targetInfoEnabled === false || Object.keys(resource.attributes).length === 0
      ? undefined
      : targetFamily(dialect);
  if (targetInfo !== undefined) for (const name of namesOf(targetInfo, dialect)) taken.set(name, targetInfo);
  for (const column of columns) {
    const family = familyOf(column, dialect, options);
    const about = `metric ${shortText(column.description.name)} of scope ${shortText(column.description.scope.name)}`;
    if (family.sampleName === '') {
      warnings.loss(
        'name',
        about,
        `${about} has no name that Prometheus accepts, so it is left out of the Prometheus output. Rename it, for example by a view`,
      );
      continue;
    }
    const same = families.get(family.name);
    if (same !== undefined && same.type === family.type && same.sampleName === family.sampleName) {
      same.columns.push(column);
      if (same.help === '') same.help = column.text;
      else if (column.text !== '' && column.text !== same.help)
        warnings.once(
          'help',
          about,
          `${about} has the description ${shortText(column.text)}, but another metric that is also ${family.name} to Prometheus has ${shortText(same.help)}, which is shown. Give both the same description`,
        );
      continue;
    }
    const other = namesOf(family, dialect)
      .map((name) => taken.get(name))
      .find((found) => found !== undefined);
    if (other !== undefined) {
      const source = other.columns[0]?.description;
      const owner =
        source === undefined
          ? 'the resource'
          : `metric ${shortText(source.name)} of scope ${shortText(source.scope.name)}`;
      warnings.loss(
        'type',
        `${about} ${family.type}`,
        `${about} would be the ${family.type} ${family.name} in the Prometheus output, but ${owner} already has that name as the ${other.type} ${other.name}. The metric is left out. Rename one of them`,
      );
      continue;
    }
    for (const name of namesOf(family, dialect)) taken.set(name, family);
    families.set(family.name, family);
  }
  return { families: [...families.values()], targetInfo };
}

function familyOf(
  column: MetricColumn,
  { openMetrics, escaping }: Dialect,
  options: ExpositionOptions,
): PlannedFamily {
  const { scope, name, unit } = column.description;
  const kind = typeOf(column.description.kind);
  const shownUnit = options.withoutUnits === true ? '' : unit;
  const parts = metricName(name, shownUnit, column.description.kind, strategyOf(scope, options));
  const base = escapedName(parts.base, escaping, false);
  const sampleName =
    kind === 'counter' && base !== '' ? escapedName(parts.base + parts.typeSuffix, escaping, false) : base;
  const shared = { help: column.text, columns: [column] };
  // A unit must end the name, and escaping may have changed that.
  const unitOf = (shown: string): string =>
    parts.unit !== '' && shown.endsWith(`_${parts.unit}`) ? parts.unit : '';
  if (!openMetrics) return { ...shared, name: sampleName, sampleName, type: kind, unit: unitOf(base) };
  if (kind !== 'counter') return { ...shared, name: base, sampleName, type: kind, unit: unitOf(base) };
  // An OpenMetrics counter ends with _total or is none: strategies without suffixes then say nothing of its
  // type.
  const counterName = sampleName.endsWith('_total') ? sampleName.slice(0, -'_total'.length) : '';
  return counterName !== ''
    ? { ...shared, name: counterName, sampleName, type: 'counter', unit: unitOf(counterName) }
    : { ...shared, name: sampleName, sampleName, type: 'unknown', unit: '' };
}

/** How names of a scope's metrics and of their labels are translated. */
export function strategyOf(
  { name }: { readonly name: string },
  { translationStrategy = 'UnderscoreEscapingWithSuffixes' }: ExpositionOptions,
): TranslationStrategy {
  return name === BY_NAME_SCOPE ? 'NoTranslation' : translationStrategy;
}

/**
 * To Prometheus, what may fall is a gauge, and exponential histograms are histograms: each may stand in one
 * family with those.
 */
export function typeOf(kind: ColumnKind): ColumnType {
  if (kind === 'up-down-counter') return 'gauge';
  return kind === 'exponential-histogram' ? 'histogram' : kind;
}

function targetFamily({ openMetrics, escaping }: Dialect): PlannedFamily {
  const sampleName = escapedName('target_info', escaping, false);
  const help = 'Target metadata';
  return openMetrics
    ? { name: sampleName.slice(0, -'_info'.length), sampleName, type: 'info', unit: '', help, columns: [] }
    : { name: sampleName, sampleName, type: 'gauge', unit: '', help, columns: [] };
}

/** Names no other family may have: a parser would take its samples for this one's, or the reverse. */
function namesOf({ name, sampleName, type }: PlannedFamily, { openMetrics }: Dialect): string[] {
  switch (type) {
    case 'counter':
      return openMetrics ? [name, sampleName, `${name}_created`] : [sampleName];
    case 'histogram':
      return [
        name,
        `${name}_bucket`,
        `${name}_count`,
        `${name}_sum`,
        ...(openMetrics ? [`${name}_created`] : []),
      ];
    default:
      return name === sampleName ? [name] : [name, sampleName];
  }
}
