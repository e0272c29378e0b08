/**
 * A user of NodeSDK beside the packed package; check-sdk3.mjs copies it into the project it makes. It counts, is asked over HTTP,
 * and prints as JSON whose provider is the global one, and which of its metrics our exporter serves.
 *
 *   node-sdk-consumer.mjs none            the app makes no NodeSDK: `--import` has set all up
 *   node-sdk-consumer.mjs ours-first      this package's provider, then NodeSDK with `metricReaders: []`
 *   node-sdk-consumer.mjs sdk-first       the other way round
 *   node-sdk-consumer.mjs sdk-defaults    ours first, then NodeSDK that is told nothing of readers
 */
import { metrics } from '@opentelemetry/api';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { setTimeout as wait } from 'node:timers/promises';
import { SeqlockMeterProvider, startExporterThread } from 'seqlock-metrics';

// By `require`, which instrumentations see.
const { createServer } = createRequire(import.meta.url)('node:http');
const order = process.argv[2];
const startOurs = () => metrics.setGlobalMeterProvider(new SeqlockMeterProvider());
const startSdk = (options) => new NodeSDK(options).start();
if (order === 'ours-first') {
  startOurs();
  startSdk({ metricReaders: [] });
} else if (order === 'sdk-first') {
  startSdk({ metricReaders: [] });
  startOurs();
} else if (order === 'sdk-defaults') {
  startOurs();
  startSdk({});
}

metrics.getMeter('app').createCounter('counted').add(2);
const server = createServer((request, response) => response.end('here')).listen(0, '127.0.0.1');
await once(server, 'listening');
await (await fetch(`http://127.0.0.1:${server.address().port}/`)).text();
const port =
  order === 'none'
    ? Number(process.env.OTEL_EXPORTER_PROMETHEUS_PORT)
    : (await startExporterThread({ prometheus: { host: '127.0.0.1', port: 0 }, lastExport: false })).address
        .port;
let text = '';
// With `--import` the exporter starts in the background.
for (let tries = 0; text === '' && tries < 100; tries++) {
  text = await fetch(`http://127.0.0.1:${port}/metrics`).then(
    (response) => response.text(),
    () => wait(100, ''),
  );
}
const provider = metrics.getMeterProvider();
console.log(
  JSON.stringify({
    global: (provider.getDelegate?.() ?? provider).constructor.name,
    counted: /^counted_total\{.*\} 2$/m.test(text),
    instrumented: /^http_server_(request_)?duration\w*_count\{/m.test(text),
  }),
);
process.exit();
