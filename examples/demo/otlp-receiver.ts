/** A local OTLP/HTTP endpoint: takes what metric exporters push, JSON or protobuf, and decodes it. */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import protobuf from 'protobufjs';
import { gunzipSync } from 'node:zlib';
import { OTLP_METRICS_PROTO } from './otlp-proto.ts';

/** 64-bit numbers come as strings or as numbers, as the encoding has it. */
type Long = string | number;

export interface AnyValue {
  readonly stringValue?: string;
  readonly boolValue?: boolean;
  readonly intValue?: Long;
  readonly doubleValue?: number;
  readonly arrayValue?: { readonly values?: readonly AnyValue[] };
}

export interface KeyValue {
  readonly key: string;
  readonly value?: AnyValue;
}

interface DataPoint {
  readonly attributes?: readonly KeyValue[];
  readonly startTimeUnixNano: Long;
  readonly timeUnixNano: Long;
}

export interface NumberDataPoint extends DataPoint {
  readonly asDouble?: number;
  readonly asInt?: Long;
}

export interface HistogramDataPoint extends DataPoint {
  readonly count: Long;
  readonly sum?: number;
  readonly min?: number;
  readonly max?: number;
  readonly bucketCounts: readonly Long[];
  readonly explicitBounds: readonly number[];
}

export interface ExponentialBuckets {
  readonly offset?: number;
  readonly bucketCounts: readonly Long[];
}

export interface ExponentialHistogramDataPoint extends DataPoint {
  readonly count: Long;
  readonly sum?: number;
  readonly min?: number;
  readonly max?: number;
  readonly scale?: number;
  readonly zeroCount?: Long;
  readonly positive?: ExponentialBuckets;
  readonly negative?: ExponentialBuckets;
}

export interface OtlpMetric {
  readonly name: string;
  readonly description?: string;
  readonly unit?: string;
  readonly gauge?: { readonly dataPoints: readonly NumberDataPoint[] };
  readonly sum?: {
    readonly dataPoints: readonly NumberDataPoint[];
    readonly aggregationTemporality: number;
    readonly isMonotonic?: boolean;
  };
  readonly histogram?: {
    readonly dataPoints: readonly HistogramDataPoint[];
    readonly aggregationTemporality: number;
  };
  readonly exponentialHistogram?: {
    readonly dataPoints: readonly ExponentialHistogramDataPoint[];
    readonly aggregationTemporality: number;
  };
}

export interface OtlpRequest {
  readonly resourceMetrics: readonly {
    readonly resource?: { readonly attributes?: readonly KeyValue[] };
    readonly scopeMetrics: readonly {
      readonly scope?: { readonly name?: string; readonly version?: string };
      readonly metrics: readonly OtlpMetric[];
    }[];
  }[];
}

/** What arrived under one path. */
export interface Inbox {
  readonly requests: OtlpRequest[];
  readonly contentTypes: string[];
}

export interface OtlpReceiver {
  readonly url: string;
  /** Of a path, such as `/v1/metrics`. */
  inbox(path: string): Inbox;
  close(): Promise<void>;
}

const requestType = protobuf.parse(OTLP_METRICS_PROTO).root.lookupType('ExportMetricsServiceRequest');

/** Starts the endpoint on a free port of the loopback interface. */
export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const inboxes = new Map<string, Inbox>();
  const inbox = (path: string): Inbox => {
    let found = inboxes.get(path);
    if (found === undefined) inboxes.set(path, (found = { requests: [], contentTypes: [] }));
    return found;
  };
  const server = createServer((request, response) => {
    decodeOtlp(request).then(
      (decoded) => {
        const { requests, contentTypes } = inbox(request.url ?? '');
        requests.push(decoded);
        contentTypes.push(request.headers['content-type'] ?? '');
        response.writeHead(200).end();
      },
      (error: unknown) => response.writeHead(400).end(String(error)),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    inbox,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Reads and decodes one request. */
export async function decodeOtlp(request: IncomingMessage): Promise<OtlpRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const raw = Buffer.concat(chunks);
  const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw;
  const contentType = request.headers['content-type'] ?? '';
  if (contentType.startsWith('application/json')) return JSON.parse(body.toString('utf8')) as OtlpRequest;
  if (contentType.startsWith('application/x-protobuf'))
    return requestType.toObject(requestType.decode(body), { longs: String, arrays: true }) as OtlpRequest;
  throw new Error(`content type ${contentType} is not OTLP`);
}
