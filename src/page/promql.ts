import type { StreamInfo } from '../exporter/page-protocol.ts';

const LEGACY_METRIC = /^[A-Za-z_:][A-Za-z0-9_:]*$/;
const LEGACY_LABEL = /^[A-Za-z_][A-Za-z0-9_]*$/;

function quoted(text: string): string {
  return `"${text.replaceAll(/[\\"]/g, '\\$&').replaceAll('\n', '\\n')}"`;
}

/** A metric with a suffix; names that PromQL does not know stand in quotes (Prometheus 3). */
function selector(name: string): string {
  return LEGACY_METRIC.test(name) ? name : `{${quoted(name)}}`;
}

/** What the page shows of a stream, as a query. `key`: place of the attribute it is split by. */
export function promqlOf(info: StreamInfo, key?: number): string {
  const label = key === undefined ? undefined : info.keys[key]?.[1];
  const by = label === undefined ? [] : [LEGACY_LABEL.test(label) ? label : quoted(label)];
  const grouped = (labels: readonly string[]): string =>
    labels.length === 0 ? '' : ` by (${labels.join(', ')})`;
  switch (info.kind) {
    case 'counter':
      return `sum${grouped(by)} (rate(${selector(info.prometheus)}[1m]))`;
    case 'level':
      return `sum${grouped(by)} (${selector(info.prometheus)})`;
    case 'gauge':
      return `avg${grouped(by)} (${selector(info.prometheus)})`;
    default:
      return `histogram_quantile(0.99, sum${grouped(['le', ...by])} (rate(${selector(`${info.prometheus}_bucket`)}[1m])))`;
  }
}

/** The view that drops an attribute of a metric, as a line to paste. */
export function viewWithout(name: string, key: string): string {
  const text = (given: string): string => `'${given.replaceAll(/[\\']/g, '\\$&').replaceAll('\n', '\\n')}'`;
  return `{ instrumentName: ${text(name)}, attributesProcessors: [createDenyListAttributesProcessor([${text(key)}])] }`;
}
