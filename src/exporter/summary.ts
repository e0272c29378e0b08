import type { AddressInfo } from 'node:net';
import type { ExporterPlan } from './options.ts';

/**
 * In a line where metrics are served and pushed. `address`: where the server listens; undefined while it does
 * not. Shows no credentials.
 */
export function summaryOf(
  { prometheus, otlp, console }: Pick<ExporterPlan, 'prometheus' | 'otlp' | 'console'>,
  address: AddressInfo | undefined,
): string {
  const ways: string[] = [];
  if (prometheus !== undefined) {
    const host = prometheus.host.includes(':') ? `[${prometheus.host}]` : prometheus.host;
    const at = `http://${host}:${address?.port ?? prometheus.port}${prometheus.endpoint}`;
    ways.push(`${address === undefined ? 'waits for its port to serve' : 'serves'} Prometheus at ${at}`);
  }
  if (otlp !== undefined)
    ways.push(
      `pushes by OTLP (${otlp.protocol}) to ${withoutCredentials(otlp.url)} every ${seconds(otlp.intervalMillis)}`,
    );
  if (console !== undefined) ways.push(`prints to standard output every ${seconds(console.intervalMillis)}`);
  return `seqlock-metrics: the exporter thread ${ways.join(', ')}`;
}

function withoutCredentials(url: string): string {
  const { origin, pathname } = new URL(url);
  return origin + pathname;
}

function seconds(millis: number): string {
  return millis % 1000 === 0 ? `${millis / 1000} s` : `${millis} ms`;
}
