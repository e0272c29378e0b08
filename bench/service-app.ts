/** The service of `service.ts`, in a process of its own: service-app.js <contender> <series>. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expose, labelsOf, type Exposing } from './exposed.ts';

const [contender, series] = process.argv.slice(2) as [Exposing, string];
const exposed = await expose(contender);
const labels = Array.from({ length: Number(series) }, (_, i) => labelsOf(i));
for (const one of labels) exposed.record(one, 1);

let requests = 0;
const server = createServer((_, response) => {
  const { route, method, status } = labels[requests++ % labels.length]!;
  exposed.record({ route: route!, method: method!, status: status! }, 1); // as a service does: an object for each request
  response.end('ok');
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () =>
  process.send!({ service: (server.address() as AddressInfo).port, metrics: exposed.port }),
);
process.on('disconnect', () => process.exit());
