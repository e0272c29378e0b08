/** What a scraper asks for and what it gets (Prometheus content negotiation; RFC 9110 for q-values). */
import { ESCAPING_SCHEMES, type EscapingScheme } from './prometheus-name.ts';

/** An answer's format. */
export interface NegotiatedFormat {
  readonly format: 'text' | 'openmetrics' | 'protobuf';
  readonly escaping: EscapingScheme;
  readonly contentType: string;
}

/** Longer headers are cut off; no scraper sends headers of nearly this length. */
const MAX_HEADER = 8192;

interface Range {
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly q: number;
}

const FALLBACK: NegotiatedFormat = {
  format: 'text',
  escaping: 'underscores',
  contentType: 'text/plain; version=0.0.4; charset=utf-8; escaping=underscores',
};

/**
 * The format for an `Accept` header: of the ranges that can be served, the one with the highest q, or the
 * first of equals. If none can be served, the answer is text 0.0.4, which Prometheus expects of exporters,
 * and never 406.
 */
export function negotiateFormat(accept: string | undefined): NegotiatedFormat {
  let best: NegotiatedFormat | undefined;
  let bestQ = 0;
  for (const range of rangesOf(accept ?? '')) {
    if (range.q <= bestQ) continue;
    const format = formatOf(range);
    if (format === undefined) continue;
    best = format;
    bestQ = range.q;
  }
  return best ?? FALLBACK;
}

function formatOf({ type, parameters }: Range): NegotiatedFormat | undefined {
  const version = parameters.get('version');
  const asked = parameters.get('escaping');
  const escaping = ESCAPING_SCHEMES.find((scheme) => scheme === asked) ?? 'underscores';
  const as = (format: NegotiatedFormat['format'], details: string): NegotiatedFormat => ({
    format,
    escaping,
    contentType: `${type}; ${details}; escaping=${escaping}`,
  });
  switch (type) {
    case 'application/openmetrics-text':
      if (version === '0.0.1') return withLegacyNames(as('openmetrics', 'version=0.0.1; charset=utf-8'));
      // Version 2.0 is a candidate (docs/exposition.md).
      return version === undefined || version === '1.0.0'
        ? as('openmetrics', 'version=1.0.0; charset=utf-8')
        : undefined;
    case 'application/vnd.google.protobuf': {
      const isFamily = parameters.get('proto') === 'io.prometheus.client.MetricFamily';
      if (!isFamily || (parameters.get('encoding') ?? 'delimited') !== 'delimited') return undefined;
      return as('protobuf', 'proto=io.prometheus.client.MetricFamily; encoding=delimited');
    }
    case 'text/plain':
      if (version === '1.0.0') return as('text', 'version=1.0.0; charset=utf-8');
      return version === undefined || version === '0.0.4'
        ? withLegacyNames(as('text', 'version=0.0.4; charset=utf-8'))
        : undefined;
    case 'text/*':
    case '*/*':
      return FALLBACK;
    default:
      return undefined;
  }
}

/** Names that need quotes came with version 1.0.0 of the formats. */
function withLegacyNames(format: NegotiatedFormat): NegotiatedFormat {
  if (format.escaping !== 'allow-utf-8') return format;
  const contentType = format.contentType.replace('=allow-utf-8', '=underscores');
  return { ...format, escaping: 'underscores', contentType };
}

export type ContentCoding = 'identity' | 'gzip' | 'zstd';

/**
 * The coding for an `Accept-Encoding` header: of the codings offered here, the one with the highest q, or the
 * first of equals.
 */
export function negotiateCoding(
  header: string | undefined,
  offered: readonly ContentCoding[],
): ContentCoding {
  let best: ContentCoding = 'identity';
  let bestQ = 0;
  const ranges = rangesOf(header ?? '');
  for (const coding of offered) {
    const range = ranges.find(({ type }) => type === coding) ?? ranges.find(({ type }) => type === '*');
    if (range === undefined || range.q <= bestQ) continue;
    best = coding;
    bestQ = range.q;
  }
  const identityQ = ranges.find(({ type }) => type === 'identity')?.q ?? 0;
  return identityQ > bestQ ? 'identity' : best;
}

function rangesOf(header: string): Range[] {
  return splitOutsideQuotes(header.slice(0, MAX_HEADER), ',').map((part) => {
    const [type = '', ...rest] = splitOutsideQuotes(part, ';');
    const parameters = new Map<string, string>();
    for (const parameter of rest) {
      const equals = parameter.indexOf('=');
      if (equals === -1) continue;
      const value = parameter.slice(equals + 1).trim();
      parameters.set(parameter.slice(0, equals).trim().toLowerCase(), value.replaceAll(/^"|"$/g, ''));
    }
    const q = parameters.has('q') ? Number(parameters.get('q')) : 1;
    return { type: type.trim().toLowerCase(), parameters, q: q >= 0 && q <= 1 ? q : 0 };
  });
}

function splitOutsideQuotes(text: string, separator: string): string[] {
  const parts: string[] = [];
  let start = 0;
  let isQuoted = false;
  for (let i = 0; i <= text.length; i++) {
    if (text[i] === '"') isQuoted = !isQuoted;
    if (i < text.length && (isQuoted || text[i] !== separator)) continue;
    parts.push(text.slice(start, i));
    start = i + 1;
  }
  return parts;
}
