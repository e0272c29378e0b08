/**
 * A service with instrumentation that other people wrote, under real requests. Prints what was collected, as JSON.
 *
 *   tee        every call of the instrumentation goes to the official provider and to ours
 *   node-sdk   NodeSDK starts the instrumentation, and our provider is the global one
 */
import {
  metrics,
  type Meter,
  type MeterProvider as ApiMeterProvider,
  type MetricOptions,
  type Observable,
} from '@opentelemetry/api';
import { HostMetrics } from '@opentelemetry/host-metrics';
import type { Instrumentation } from '@opentelemetry/instrumentation';
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import { RuntimeNodeInstrumentation } from '@opentelemetry/instrumentation-runtime-node';
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici';
import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';
import { NodeSDK } from '@opentelemetry/sdk-node';
import type { IncomingMessage, Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { SeqlockMeterProvider } from '../../src/index.ts';

export interface Collected {
  readonly scopes: readonly unknown[];
  readonly errors: readonly string[];
}

class PullReader extends MetricReader {
  protected override onShutdown(): Promise<void> {
    return Promise.resolve();
  }
  protected override onForceFlush(): Promise<void> {
    return Promise.resolve();
  }
}

/** Hands every call to several providers, so that they measure the same. */
function tee(providers: readonly ApiMeterProvider[]): ApiMeterProvider {
  return { getMeter: (...scope) => teeMeter(providers.map((provider) => provider.getMeter(...scope))) };
}

type Create = 'createCounter' | 'createUpDownCounter' | 'createGauge' | 'createHistogram';
type Observe = 'createObservableCounter' | 'createObservableUpDownCounter' | 'createObservableGauge';
interface TeeObservable extends Observable {
  readonly all: readonly Observable[];
}

function teeMeter(meters: readonly Meter[]): Meter {
  const create =
    (kind: Create) =>
    (name: string, options?: MetricOptions): unknown => {
      const all = meters.map((meter) => meter[kind](name, options));
      return {
        add: (...given: [never]) =>
          all.forEach((one) => (one as { add(...given: unknown[]): void }).add(...given)),
        record: (...given: [never]) =>
          all.forEach((one) => (one as { record(...given: unknown[]): void }).record(...given)),
      };
    };
  const observe =
    (kind: Observe) =>
    (name: string, options?: MetricOptions): TeeObservable => {
      const all = meters.map((meter) => meter[kind](name, options));
      return {
        all,
        addCallback: (callback) => all.forEach((one) => one.addCallback(callback)),
        removeCallback: (callback) => all.forEach((one) => one.removeCallback(callback)),
      };
    };
  return {
    createCounter: create('createCounter'),
    createUpDownCounter: create('createUpDownCounter'),
    createGauge: create('createGauge'),
    createHistogram: create('createHistogram'),
    createObservableCounter: observe('createObservableCounter'),
    createObservableUpDownCounter: observe('createObservableUpDownCounter'),
    createObservableGauge: observe('createObservableGauge'),
    addBatchObservableCallback: (callback, observables) =>
      meters.forEach((meter, i) =>
        meter.addBatchObservableCallback(
          (result) =>
            callback({
              observe: (observable, ...given) =>
                result.observe((observable as TeeObservable).all[i]!, ...given),
            }),
          observables.map((observable) => (observable as TeeObservable).all[i]!),
        ),
      ),
    removeBatchObservableCallback: () => {
      throw new Error('not expected of this instrumentation');
    },
  } as Meter;
}

async function serveAndCall(): Promise<void> {
  // As an application in CommonJS loads it, or one whose loader patches: the instrumentation hooks `require`.
  const http = createRequire(import.meta.url)('node:http') as typeof import('node:http');
  const server: Server = http.createServer((request, response) => {
    response.statusCode = request.url === '/missing' ? 404 : 200;
    request.resume().on('end', () => response.end('hello'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const get = (path: string, method: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const request = http.request(`${url}${path}`, { method }, (response: IncomingMessage) => {
        response.resume().on('end', resolve);
      });
      request.on('error', reject).end();
    });
  for (let i = 0; i < 5; i++) {
    await get('/', 'GET');
    await get('/missing', 'POST');
    await (await fetch(`${url}/`)).text();
    await (await fetch(`${url}/missing`, { method: 'PUT', body: 'x' })).text();
  }
  await new Promise((resolve) => setTimeout(resolve, 50)); // the last measurements are made when sockets are done
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}

/** Long enough for the event loop's delay to be sampled, which is done every 10 ms. */
async function eventLoopTurns(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setTimeout(resolve, 15));
}

async function collect(reader: MetricReader): Promise<Collected> {
  const { resourceMetrics, errors } = await reader.collect({ timeoutMillis: 20_000 });
  return {
    scopes: resourceMetrics.scopeMetrics.map(({ scope, metrics: ofScope }) => ({ scope, metrics: ofScope })),
    errors: errors.map(String),
  };
}

async function main(mode: string): Promise<unknown> {
  const instrumentations: Instrumentation[] = [
    new HttpInstrumentation(),
    new UndiciInstrumentation(),
    new RuntimeNodeInstrumentation(),
  ];
  const [officialReader, ourReader] = [new PullReader(), new PullReader()];
  const ours = new SeqlockMeterProvider({ readers: [ourReader] });
  if (mode === 'node-sdk') {
    metrics.setGlobalMeterProvider(ours);
    const sdk = new NodeSDK({
      instrumentations,
      metricReaders: [],
      traceExporter: { export: (_, done) => done({ code: 0 }), shutdown: () => Promise.resolve() },
    });
    sdk.start();
    new HostMetrics().start();
    await serveAndCall();
    await eventLoopTurns();
    const collected = await collect(ourReader);
    await sdk.shutdown();
    return { ours: collected };
  }
  const official = new MeterProvider({ readers: [officialReader] });
  const both = tee([official, ours]);
  for (const instrumentation of instrumentations) instrumentation.setMeterProvider(both);
  new HostMetrics({ meterProvider: both }).start();
  await serveAndCall();
  const collectedFirst = await collect(officialReader);
  await eventLoopTurns(); // some callbacks report only what came since their last call
  return { official: collectedFirst, ours: await collect(ourReader) };
}

process.stdout.write(JSON.stringify(await main(process.argv[2]!)), () => process.exit(0));
