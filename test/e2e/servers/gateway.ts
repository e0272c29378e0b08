/** The configuration of examples/collector, run by the real programs. */
import { readFileSync } from 'node:fs';
import { freePort } from '../../../examples/demo/free-port.ts';
import { startCollector, type Collector } from './collector.ts';
import { startPrometheus, type Prometheus } from './prometheus.ts';

export const FOLDER = 'examples/collector';

export interface GatewayAndPrometheus {
  readonly gateway: Collector;
  /** Prometheus 3, to which the gateway pushes. */
  readonly prometheus: Prometheus;
  stop(): Promise<void>;
}

export async function startGateway(folder: string): Promise<GatewayAndPrometheus> {
  const [port, telemetryPort] = [await freePort(), await freePort()];
  const prometheus = await startPrometheus({
    program: 'prometheus',
    folder,
    config: readFileSync(`${FOLDER}/prometheus.yml`, 'utf8')
      .replace('collector:8888', `127.0.0.1:${telemetryPort}`)
      .replace('scrape_interval: 15s', 'scrape_interval: 1s'),
    flags: ['--web.enable-otlp-receiver'],
  });
  const gateway = await startCollector([`${FOLDER}/gateway.yaml`], port, {
    GATEWAY_ENDPOINT: `127.0.0.1:${port}`,
    GATEWAY_BATCH_TIMEOUT: '200ms',
    GATEWAY_TELEMETRY_HOST: '127.0.0.1',
    GATEWAY_TELEMETRY_PORT: String(telemetryPort),
    PROMETHEUS_OTLP_ENDPOINT: `${prometheus.url}/api/v1/otlp`,
  });
  return {
    gateway,
    prometheus,
    stop: async () => {
      await gateway.stop();
      await prometheus.stop();
    },
  };
}

export interface ScrapedGateway {
  readonly gateway: Collector;
  readonly scrapePort: number;
}

/** The gateway as it is for an older Prometheus. */
export async function startScrapedGateway(): Promise<ScrapedGateway> {
  const [port, telemetryPort, scrapePort] = [await freePort(), await freePort(), await freePort()];
  const gateway = await startCollector([`${FOLDER}/gateway.yaml`, `${FOLDER}/gateway-scraped.yaml`], port, {
    GATEWAY_ENDPOINT: `127.0.0.1:${port}`,
    GATEWAY_BATCH_TIMEOUT: '200ms',
    GATEWAY_TELEMETRY_HOST: '127.0.0.1',
    GATEWAY_TELEMETRY_PORT: String(telemetryPort),
    GATEWAY_SCRAPE_ENDPOINT: `127.0.0.1:${scrapePort}`,
  });
  return { gateway, scrapePort };
}
