/** What was sent beside what came out of each exporter. */
import type { Sent } from './load.ts';
import { otlpTotal, type PlainValue } from './otlp-read.ts';
import type { OtlpRequest } from './otlp-receiver.ts';
import { parseScrape, total } from './scraped-text.ts';

export interface Outputs {
  readonly scrape: string;
  readonly otlpJson: OtlpRequest;
  readonly otlpProtobuf: OtlpRequest;
  /** Of the exporter thread. */
  readonly threadScrape: string;
  readonly threadOtlp: OtlpRequest;
}

export interface Row {
  readonly what: string;
  readonly sent: number;
  readonly prometheus: number;
  readonly 'OTLP/JSON': number;
  readonly 'OTLP/protobuf': number;
  readonly 'thread: prometheus': number;
  readonly 'thread: OTLP': number;
}

export function compare(sent: Sent, outputs: Outputs): Row[] {
  const { otlpJson, otlpProtobuf, threadOtlp } = outputs;
  const samples = parseScrape(outputs.scrape);
  const threadSamples = parseScrape(outputs.threadScrape);
  const row = (
    what: string,
    expected: number,
    metric: string,
    sample: string,
    attributes: Readonly<Record<string, PlainValue>> = {},
    // With the unit in its name (specification, Prometheus); the official exporter leaves it out.
    threadSample = sample,
  ): Row => ({
    what,
    sent: expected,
    prometheus: total(samples, sample, labelsOf(attributes)),
    'OTLP/JSON': otlpTotal(otlpJson, metric, attributes),
    'OTLP/protobuf': otlpTotal(otlpProtobuf, metric, attributes),
    'thread: prometheus': total(threadSamples, threadSample, labelsOf(attributes)),
    'thread: OTLP': otlpTotal(threadOtlp, metric, attributes),
  });
  const requests = (status: number, expected: number): Row =>
    row(`requests answered ${status}`, expected, 'http.server.requests', 'http_server_requests_total', {
      'http.response.status_code': status,
    });
  const all = sent.ok + sent.notFound;
  return [
    requests(200, sent.ok),
    requests(404, sent.notFound),
    row(
      'request durations',
      all,
      'http.server.request.duration',
      'http_server_request_duration_count',
      {},
      'http_server_request_duration_seconds_count',
    ),
    row('requests in flight', 0, 'http.server.active_requests', 'http_server_active_requests'),
    ...Object.entries(sent.byAlgorithm).map(([algorithm, expected]) =>
      row(`${algorithm} jobs (workers)`, expected, 'jobs.completed', 'jobs_completed_total', { algorithm }),
    ),
    row(
      'bytes hashed (workers)',
      sent.bytes,
      'jobs.hashed',
      'jobs_hashed_total',
      {},
      'jobs_hashed_bytes_total',
    ),
    row(
      'job durations (workers)',
      sent.ok,
      'jobs.duration',
      'jobs_duration_count',
      {},
      'jobs_duration_seconds_count',
    ),
  ];
}

/** True when every exporter gave what was sent. */
export function isExact(row: Row): boolean {
  return Object.entries(row).every(([column, value]) => column === 'what' || value === row.sent);
}

function labelsOf(attributes: Readonly<Record<string, PlainValue>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(attributes).map(([key, value]) => [key.replaceAll(/[^a-zA-Z0-9_]/g, '_'), String(value)]),
  );
}
