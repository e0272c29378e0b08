/** A metric as prom-client writes it. */
import type { Exemplar } from './exemplar.ts';
import type { Labels } from './label-series.ts';

/** What `get` or `getForPromString` of a metric gave. */
export interface MetricData {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly values?: readonly {
    readonly value: number;
    readonly metricName?: string;
    readonly labels?: Labels;
    readonly sharedLabels?: Labels;
    readonly exemplar?: Exemplar | null | undefined;
  }[];
}

const NO_LABELS: Labels = {};

/** Values of one series come one after the other: labels that are the same object are written once. */
export function metricText(
  { name, help, type, values = [] }: MetricData,
  defaultLabels: object,
  isOpenMetrics: boolean,
): string {
  const family = escaped(name);
  const ending = isOpenMetrics && type === 'counter' ? '_total' : '';
  const defaults = Object.keys(defaultLabels).length > 0 ? (defaultLabels as Labels) : undefined;
  let text = `# HELP ${family} ${escaped(help)}\n# TYPE ${family} ${type}`;
  let shared: Labels | undefined;
  let sharedText = '';
  for (const { value, metricName = family, labels = NO_LABELS, sharedLabels, exemplar } of values) {
    if (sharedLabels !== shared) {
      shared = sharedLabels;
      sharedText = shared === undefined ? '' : labelsText(shared);
    }
    const own = labelsText(
      defaults === undefined ? labels : { ...labels, ...defaults, ...labels },
      sharedLabels,
    );
    const all = own !== '' && sharedText !== '' ? `${own},${sharedText}` : own + sharedText;
    text += `\n${metricName}${ending}${all === '' ? '' : `{${all}}`} ${numberText(value)}`;
    if (exemplar && isOpenMetrics)
      text += ` # {${labelsText(exemplar.labelSet as Labels)}} ${numberText(exemplar.value)} ${exemplar.timestamp}`;
  }
  return text;
}

function labelsText(labels: Labels, except?: Labels): string {
  let text = '';
  for (const [name, value] of Object.entries(labels)) {
    if (except !== undefined && Object.hasOwn(except, name)) continue;
    const label = typeof value === 'string' ? escapedLabel(value) : (value as number);
    text += text === '' ? `${name}="${label}"` : `,${name}="${label}"`;
  }
  return text;
}

const SPECIAL = /[\\\n"]/;

function escapedLabel(text: string): string {
  return SPECIAL.test(text) ? escaped(text).replaceAll('"', '\\"') : text;
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

function numberText(value: number): string {
  if (Number.isNaN(value)) return 'Nan';
  if (value === Infinity) return '+Inf';
  return value === -Infinity ? '-Inf' : `${value}`;
}
