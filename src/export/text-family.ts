import type { Attributes } from '@opentelemetry/api';
import { shortText } from '../base/errors.ts';
import { BY_NAME_SCOPE } from '../base/by-name-scope.ts';
import type { Warnings } from '../base/warnings.ts';
import type { ColumnScope, MetricColumn, MetricColumns } from '../collect/rows/column.ts';
import {
  constantLabels,
  strategyOf,
  type Dialect,
  type ExpositionOptions,
  type PlannedFamily,
} from './family-plan.ts';
import { ExemplarTexts } from './exemplar-text.ts';
import { ByteText } from './byte-text.ts';
import { LabelIndex } from './label-index.ts';
import { escapedValue, LabelWriter, SCOPE_PREFIX, SharedLabels, type Label } from './label-text.ts';
import type { HeldBytes } from './page-chunk.ts';
import { isLegacyName, wellFormed } from './prometheus-name.ts';
import { canAdd } from './summed-rows.ts';
import { RowTemplate } from './row-template.ts';
import { TextSection } from './text-section.ts';

const LE: ReadonlySet<string> = new Set(['le']);
/** Sections and rows of a family in one number: section * ROWS + row. */
const ROWS = 2 ** 32;

/** What all families of a text share. */
export interface TextContext {
  readonly dialect: Dialect;
  readonly options: ExpositionOptions;
  readonly labels: LabelWriter;
  /** For metrics that are made by name. */
  readonly labelsByName: LabelWriter;
  readonly exemplars: ExemplarTexts;
  /** Resource attributes that are labels of every sample. */
  readonly constants: Attributes;
  readonly warnings: Warnings;
}

export function textContext(
  resource: Attributes,
  dialect: Dialect,
  options: ExpositionOptions,
  warnings: Warnings,
): TextContext {
  const labelsOf = (scope: string): LabelWriter =>
    new LabelWriter(strategyOf({ name: scope }, options), dialect.escaping);
  const labels = labelsOf('');
  return {
    dialect,
    options,
    labels,
    labelsByName: labelsOf(BY_NAME_SCOPE),
    exemplars: new ExemplarTexts(labels),
    constants: constantLabels(resource, options),
    warnings,
  };
}

/** Writes the labels of a scope's series. */
export function labelWriterOf({ name }: ColumnScope, context: TextContext): LabelWriter {
  return name === BY_NAME_SCOPE ? context.labelsByName : context.labels;
}

/**
 * The lines of one family: its header, and its samples from every scope. No two samples have the same labels.
 */
export class TextFamily {
  readonly #context: TextContext;
  readonly #family: PlannedFamily;
  readonly #header: Buffer;
  #sections: TextSection[] = [];
  #shared: SharedLabels[] = [];
  #writers: LabelWriter[] = [];
  #index = new LabelIndex();

  constructor(family: PlannedFamily, context: TextContext) {
    this.#family = family;
    this.#context = context;
    this.#header = Buffer.from(headerText(family, context.dialect), 'utf8');
    this.#reset();
  }

  get name(): string {
    return this.#family.name;
  }

  /** True when a newly planned family is this one. */
  isThatOf({ name, sampleName, type, unit, help, columns }: PlannedFamily): boolean {
    const own = this.#family;
    return (
      own.name === name &&
      own.sampleName === sampleName &&
      own.type === type &&
      own.unit === unit &&
      own.help === help &&
      own.columns.length === columns.length &&
      own.columns.every((column, i) => column === columns[i])
    );
  }

  /**
   * Shows rows that the columns did not have before, until `performance.now()` is past `until`. False when
   * there are more.
   */
  grow(until: number): boolean {
    if (!this.#sections.every((section) => section.isAligned())) this.#reset();
    this.#index.reserve(this.#family.columns.reduce((sum, { rows }) => sum + rows, 0));
    return this.#sections.every((section, s) =>
      section.grow((attributes, row, into) => this.#labelsOf(s, attributes, row, into), until),
    );
  }

  /** Shows the numbers of a snapshot, in slices like `grow`. Call it only when the family has all rows. */
  update(snapshot: MetricColumns, until: number): boolean {
    return this.#sections.every((section) => section.update(snapshot, until));
  }

  /** Adds the family's bytes to `into`; adds nothing while it has no samples. */
  hold(into: HeldBytes[]): void {
    if (this.#sections.every((section) => section.chunks.length === 0)) return;
    into.push({ bytes: this.#header, release: () => {} });
    for (const section of this.#sections) for (const chunk of section.chunks) into.push(chunk.hold());
  }

  #reset(): void {
    const { dialect, options } = this.#context;
    const { columns } = this.#family;
    this.#index = new LabelIndex();
    this.#shared = columns.map(({ description: { scope, kind } }) =>
      sharedLabels(scope, kind === 'histogram', this.#context),
    );
    this.#writers = columns.map(({ description }) => labelWriterOf(description.scope, this.#context));
    this.#sections = columns.map(
      (column) =>
        new TextSection(
          column,
          new RowTemplate(column, this.#family, dialect, options.created ?? true),
          this.#context.exemplars,
        ),
    );
  }

  /**
   * Writes the labels of a row. Returns false for a new one (`row` from 0) if another sample has the same
   * labels. That sample then shows the sum of both, if they are totals.
   */
  #labelsOf(section: number, attributes: Attributes, row: number, into: ByteText): boolean {
    into.clear();
    this.#writers[section]!.write(attributes, this.#shared[section]!, into);
    if (row < 0) return true;
    const other = this.#index.add(into.hash(), section * ROWS + row, (id) => {
      const compared = new ByteText();
      this.#labelsOf(Math.floor(id / ROWS), this.#attributesOf(id), -1, compared);
      return compared.equals(into);
    });
    if (other === -1) return true;
    const column = this.#sections[section]!.column;
    const isAdded = canAdd(column.description, this.#columnOf(other).description);
    if (isAdded) this.#sections[Math.floor(other / ROWS)]!.addTo(other % ROWS, { column, row });
    this.#warn(section, attributes, into.toString(), other, isAdded);
    return false;
  }

  #attributesOf(id: number): Attributes {
    return this.#columnOf(id).attributes[id % ROWS]!;
  }

  #columnOf(id: number): MetricColumn {
    return this.#sections[Math.floor(id / ROWS)]!.column;
  }

  #warn(section: number, attributes: Attributes, labels: string, other: number, isAdded: boolean): void {
    const { sampleName } = this.#family;
    const about = (column: MetricColumn, of: Attributes): string =>
      `${shortText(of)} of metric ${shortText(column.description.name)} of scope ${shortText(column.description.scope.name)}`;
    this.#context.warnings[isAdded ? 'once' : 'loss'](
      'same labels',
      `${sampleName} ${labels.slice(0, 200)}`,
      `the attributes ${about(this.#sections[section]!.column, attributes)} and ${about(this.#columnOf(other), this.#attributesOf(other))} become the same labels of ${sampleName}: ${isAdded ? 'their sum is shown' : 'the former are left out'}. Use attributes that stay different as labels`,
    );
  }
}

function headerText({ name, type, unit, help }: PlannedFamily, { openMetrics }: Dialect): string {
  const shown = isLegacyName(name, false) ? name : `"${escapedValue(name)}"`;
  const text = wellFormed(help).replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
  const lines = help === '' ? [] : [`# HELP ${shown} ${openMetrics ? text.replaceAll('"', '\\"') : text}`];
  lines.push(`# TYPE ${shown} ${type}`);
  if (openMetrics && unit !== '') lines.push(`# UNIT ${shown} ${unit}`);
  return `${lines.join('\n')}\n`;
}

/** Labels of the scope, and resource attributes that are labels of every sample. `le` is the histogram's. */
export function sharedLabels(scope: ColumnScope, hasBuckets: boolean, context: TextContext): SharedLabels {
  const ofResource = context.labels.labels(context.constants, LE);
  return new SharedLabels(
    hasBuckets ? LE : undefined,
    [...labelsOfScope(scope, context), ...ofResource],
    new Set(ofResource.map(({ name }) => name)),
  );
}

function labelsOfScope(scope: ColumnScope, { labels, options, warnings }: TextContext): Label[] {
  if (options.scopeInfoEnabled === false || scope.name === BY_NAME_SCOPE) return [];
  const own = {
    [`${SCOPE_PREFIX}name`]: scope.name,
    [`${SCOPE_PREFIX}version`]: scope.version ?? '',
    [`${SCOPE_PREFIX}schema_url`]: scope.schemaUrl ?? '',
  };
  const names = Object.keys(own).map((key) => labels.nameOf(key));
  const found = labels.labels(own);
  const given = Object.entries(scope.attributes ?? {}).map(([key, value]) => [SCOPE_PREFIX + key, value]);
  for (const label of labels.labels(Object.fromEntries(given) as Attributes))
    if (!names.includes(label.name))
      found.push(label); // (specification, instrumentation scope)
    else
      warnings.once(
        'scope attribute',
        `${scope.name} ${label.key}`,
        `the attribute ${shortText(label.key.slice(SCOPE_PREFIX.length))} of scope ${shortText(scope.name)} would become the label ${label.name}, which is the scope's own. The attribute is left out of the Prometheus output. Rename it`,
      );
  return found;
}
