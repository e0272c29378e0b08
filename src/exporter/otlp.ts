import { readFileSync } from 'node:fs';
import { shortText } from '../base/errors.ts';
import type { MetricSink } from '../collect/metric-source.ts';
import { OtlpJson } from '../export/otlp-json.ts';
import { OtlpProtobuf } from '../export/otlp-protobuf.ts';
import { tellOfLoss, Warnings } from '../base/warnings.ts';
import type { HostNames } from './host-names.ts';
import { DELTA_KINDS, type OtlpPlan, type OtlpProtocol, type OtlpTlsFiles } from './otlp-options.ts';
import { refusalIn } from './otlp-response.ts';
import { OtlpTransport, type OtlpDestination } from './otlp-transport.ts';
import { Push, type PushSource, type PushTarget } from './push.ts';

/** Of each form of the protocol. */
const PROTOCOLS: Readonly<
  Record<
    OtlpProtocol,
    {
      readonly contentType: string;
      readonly component: string;
      readonly newSink: () => MetricSink<Uint8Array>;
    }
  >
> = {
  'http/protobuf': {
    contentType: 'application/x-protobuf',
    component: 'otlp_http_metric_exporter',
    newSink: () => new OtlpProtobuf(),
  },
  'http/json': {
    contentType: 'application/json',
    component: 'otlp_http_json_metric_exporter',
    newSink: () => new OtlpJson(),
  },
};

export function pushOtlp(
  source: PushSource,
  plan: OtlpPlan,
  histogramSelection: string | undefined,
  names: HostNames,
): Push<Uint8Array> {
  const { protocol, temporality, intervalMillis, timeoutMillis } = plan;
  const { contentType } = PROTOCOLS[protocol];
  const tls = tlsFiles(plan.tls, process.env);
  return new Push(source, otlpTarget(protocol, { ...plan, contentType, tls }, names), {
    intervalMillis,
    timeoutMillis,
    histogramSelection,
    deltaKinds: DELTA_KINDS[temporality],
  });
}

function otlpTarget(
  protocol: OtlpProtocol,
  destination: OtlpDestination,
  names: HostNames,
): PushTarget<Uint8Array> {
  const { component, newSink } = PROTOCOLS[protocol];
  const transport = new OtlpTransport(destination, names);
  const warnings = new Warnings();
  return {
    name: `OTLP (${protocol})`,
    component: { type: component, server: serverOf(destination.url) },
    sink: newSink(),
    async send(body, timeoutMillis, retries) {
      const response = await transport.send(body, timeoutMillis, retries);
      const refusal = refusalIn(response, protocol === 'http/json');
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

/** As semantic conventions name it. */
function serverOf(url: string): { readonly address: string; readonly port: number } {
  const { hostname, port, protocol } = new URL(url);
  const address = hostname.replace(/^\[|\]$/g, '');
  return { address, port: port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port) };
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
