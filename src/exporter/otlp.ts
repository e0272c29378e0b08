import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { shortText } from '../base/errors.ts';
import type { ExponentialHistogramValue, HistogramValue, ResourceMetrics } from '../collect/metric-data.ts';
import { tellOfLoss, Warnings } from '../base/warnings.ts';
import type { HostNames } from './host-names.ts';
import { DELTA_KINDS, type OtlpPlan, type OtlpProtocol, type OtlpTlsFiles } from './otlp-options.ts';
import { OtlpTransport, type OtlpDestination } from './otlp-transport.ts';
import { Push, type PushSource, type PushTarget } from './push.ts';

/** An official exporter's package is not installed. */
export class MissingPackageError extends Error {
  readonly code = 'E_PACKAGE';
}

/** The packages of the official exporters, which contain the serializers. */
const PROTOCOLS: Readonly<
  Record<OtlpProtocol, { readonly package: string; readonly contentType: string; readonly component: string }>
> = {
  'http/protobuf': {
    package: '@opentelemetry/exporter-metrics-otlp-proto',
    contentType: 'application/x-protobuf',
    component: 'otlp_http_metric_exporter',
  },
  'http/json': {
    package: '@opentelemetry/exporter-metrics-otlp-http',
    contentType: 'application/json',
    component: 'otlp_http_json_metric_exporter',
  },
};

/** The parts of `@opentelemetry/otlp-transformer` that are used. */
interface Serializer {
  serializeRequest(metrics: ResourceMetrics): Uint8Array | undefined;
  deserializeResponse(response: Uint8Array): {
    readonly partialSuccess?: {
      readonly rejectedDataPoints?: number | string;
      readonly errorMessage?: string;
    };
  };
}

/**
 * Pushes with the official serializer of the protocol, which is loaded here. Throws if it is not installed.
 */
export function pushOtlp(
  source: PushSource,
  plan: OtlpPlan,
  histogramSelection: string | undefined,
  names: HostNames,
): Push {
  const { protocol, temporality, intervalMillis, timeoutMillis } = plan;
  const target = otlpTarget(
    loadSerializer(protocol),
    protocol,
    {
      ...plan,
      contentType: PROTOCOLS[protocol].contentType,
      tls: tlsFiles(plan.tls, process.env),
    },
    names,
  );
  return new Push(source, target, {
    intervalMillis,
    timeoutMillis,
    histogramSelection,
    deltaKinds: DELTA_KINDS[temporality],
  });
}

function otlpTarget(
  serializer: Serializer,
  protocol: OtlpProtocol,
  destination: OtlpDestination,
  names: HostNames,
): PushTarget {
  const transport = new OtlpTransport(destination, names);
  const warnings = new Warnings();
  return {
    name: `OTLP (${protocol})`,
    component: { type: PROTOCOLS[protocol].component, server: serverOf(destination.url) },
    async send(metrics, timeoutMillis, retries) {
      const body = serializer.serializeRequest(
        protocol === 'http/json' ? withNumbersOfJson(metrics) : metrics,
      );
      if (body === undefined) throw new Error('the metrics could not be serialized');
      const response = await transport.send(body, timeoutMillis, retries);
      const refusal = refusalIn(serializer, response);
      if (refusal === undefined) return 0;
      const { points, reason } = refusal;
      warnings.loss(
        'refused',
        `${points} ${reason}`,
        `seqlock-metrics: the collector refused part of a push: ${points} data points refused (${reason}). The refused data points are not sent again`,
      );
      return points;
    },
    giveUp: () => transport.giveUp(),
    close: () => transport.close(),
  };
}

/**
 * The metrics with texts in place of numbers that JSON does not have, as the protocol demands (ProtoJSON,
 * representation of each type). The official serializer writes null for them, and a Collector then refuses
 * the whole push.
 */
export function withNumbersOfJson(metrics: ResourceMetrics): ResourceMetrics {
  const { scopeMetrics } = metrics;
  return {
    ...metrics,
    scopeMetrics: scopeMetrics.map((scope) => ({
      ...scope,
      metrics: scope.metrics.map((metric) => ({
        ...metric,
        dataPoints: metric.dataPoints.map((point) => ({ ...point, value: numbersOfJson(point.value) })),
      })),
    })) as ResourceMetrics['scopeMetrics'], // the texts are for the serializer, which passes them on
  };
}

function numbersOfJson(value: unknown): unknown {
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  const distribution = value as HistogramValue | ExponentialHistogramValue;
  const texts = Object.entries(distribution).filter(([, field]) => typeof field === 'number');
  return {
    ...distribution,
    ...Object.fromEntries(texts.map(([name, field]) => [name, numbersOfJson(field)])),
  };
}

/** As semantic conventions name it. */
function serverOf(url: string): { readonly address: string; readonly port: number } {
  const { hostname, port, protocol } = new URL(url);
  const address = hostname.replace(/^\[|\]$/g, '');
  return { address, port: port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port) };
}

/** What the collector says it has refused. An unreadable response says nothing. */
function refusalIn(
  serializer: Serializer,
  response: Buffer,
): { readonly points: number; readonly reason: string } | undefined {
  if (response.length === 0) return undefined;
  try {
    const { rejectedDataPoints = 0, errorMessage = '' } =
      serializer.deserializeResponse(response).partialSuccess ?? {};
    if (Number(rejectedDataPoints) === 0 && errorMessage === '') return undefined;
    return { points: Number(rejectedDataPoints), reason: errorMessage || 'no reason given' };
  } catch {
    return undefined;
  }
}

function loadSerializer(protocol: OtlpProtocol): Serializer {
  const name = PROTOCOLS[protocol].package;
  let path: string;
  try {
    path = createRequire(import.meta.url).resolve(name);
  } catch (error) {
    throw new MissingPackageError(
      `pushing by ${protocol} needs the package ${name}, which is not installed: npm install ${name}`,
      { cause: error },
    );
  }
  const { ProtobufMetricsSerializer, JsonMetricsSerializer } = createRequire(path)(
    '@opentelemetry/otlp-transformer',
  ) as Record<'ProtobufMetricsSerializer' | 'JsonMetricsSerializer', Serializer>;
  return protocol === 'http/json' ? JsonMetricsSerializer : ProtobufMetricsSerializer;
}

/** The option and the ends of the variables that name a file, and what happens without the file. */
const FILES = {
  ca: ['caFile', 'CERTIFICATE', "the system's certificates are trusted"],
  cert: ['certFile', 'CLIENT_CERTIFICATE', 'no client certificate is shown'],
  key: ['keyFile', 'CLIENT_KEY', 'no client certificate is shown'],
} as const;

/**
 * The files for TLS that the options name, or without such options the environment. There, those for metrics
 * take precedence over those for all signals.
 */
function tlsFiles(
  given: OtlpTlsFiles | undefined,
  variables: Readonly<Record<string, string | undefined>>,
): OtlpDestination['tls'] {
  const files: Partial<Record<keyof typeof FILES, Buffer>> = {};
  const all = [`OTEL_EXPORTER_OTLP_`, `OTEL_EXPORTER_OTLP_METRICS_`];
  for (const [file, [option, suffix, otherwise]] of Object.entries(FILES)) {
    const named: [string, string | undefined][] =
      given === undefined
        ? all.map((prefix) => [prefix + suffix, variables[prefix + suffix]?.trim()])
        : [[`otlp.tls.${option}`, given[option]]];
    for (const [name, path = ''] of named) {
      if (path === '') continue;
      try {
        files[file as keyof typeof FILES] = readFileSync(path);
      } catch (error) {
        tellOfLoss(
          'warn',
          `seqlock-metrics: ${name} is ${shortText(path)}, which cannot be read (${(error as Error).message}); it must be a file in PEM format. It is ignored: unless another variable names a file, ${otherwise}`,
        );
      }
    }
  }
  return files;
}
