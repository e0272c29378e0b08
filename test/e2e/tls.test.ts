/** A Collector that wants TLS with a client certificate, and one that wants a token in a header; configured as a user does, by environment. */
import { expect } from 'chai';
import { randomUUID } from 'node:crypto';
import { eventually } from '../support/eventually.ts';
import { pushFrom, PUSHERS, type AppOptions } from './app/protocol.ts';
import { arrivals, receivedBooks } from './compare/otlp-books.ts';
import { compareBooks, compareNumber } from './compare/table.ts';
import { needs } from './programs/programs.ts';
import { withApp } from './servers/app.ts';
import { makeCertificates, type Certificate, type Certificates } from '../support/certificates.ts';
import { startFileCollector, type FileCollector } from './servers/collector.ts';
import { scratchFolder } from './servers/scratch.ts';

const TOKEN = randomUUID();

function pushing(pusher: (typeof PUSHERS)[number], url: string, instance: string): AppOptions {
  return {
    instance,
    workers: 2,
    outputs: [
      pushFrom(pusher, {
        protocol: 'http/protobuf',
        temporality: 'cumulative',
        url,
        intervalMillis: 3_600_000, // only when it is told to
        timeoutMillis: 5000,
      }),
    ],
  };
}

describe('a Collector that not everybody may send to', function () {
  this.timeout(60_000);
  let certificates: Certificates;
  let collector: FileCollector;
  let url: string;

  before(async function () {
    needs(this, 'collector', 'openssl');
    const folder = scratchFolder();
    certificates = makeCertificates(folder);
    const { authority, server } = certificates;
    collector = await startFileCollector({
      folder,
      receiver: {
        tls: `{ cert_file: ${server.cert}, key_file: ${server.key}, client_ca_file: ${authority} }`,
        auth: '{ authenticator: bearertokenauth }',
      },
      extensions: { bearertokenauth: `{ scheme: Bearer, token: ${TOKEN} }` },
    });
    url = collector.url.replace('http:', 'https:');
  });
  after(() => collector?.stop());

  const environment = (client: Certificate, token: string): Record<string, string> => ({
    OTEL_EXPORTER_OTLP_CERTIFICATE: certificates.authority,
    OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: client.cert,
    OTEL_EXPORTER_OTLP_CLIENT_KEY: client.key,
    OTEL_EXPORTER_OTLP_HEADERS: `authorization=Bearer%20${token}`,
  });

  for (const pusher of PUSHERS)
    it(`takes everything from an app with the right certificate and token, pushed by the ${pusher}`, async () => {
      const env = environment(certificates.client, TOKEN);
      const books = await withApp(pushing(pusher, url, pusher), env, async (app) => {
        await app.ask({ do: 'record', rounds: 300 });
        await app.ask({ do: 'flush' });
        expect((await app.ask({ do: 'said' })).filter((line) => !line.startsWith('info '))).to.deep.equal([]);
        return app.ask({ do: 'books' });
      });
      const exports = await eventually(async () => {
        const found = arrivals(collector.received(), pusher);
        return found.length > 0 ? found : undefined;
      });
      compareBooks('e', `TLS with client certificate and token, ${pusher}`, books, receivedBooks(exports));
    });

  const refusals: Readonly<Record<string, () => Record<string, string>>> = {
    'a certificate of a stranger': () => environment(certificates.stranger, TOKEN),
    'a wrong token': () => environment(certificates.client, 'wrong'),
  };
  for (const [what, env] of Object.entries(refusals))
    it(`takes nothing from an app with ${what}, and the app hears of it`, async () => {
      await withApp(pushing('main thread', url, what), env(), async (app) => {
        await app.ask({ do: 'record', rounds: 10 });
        const heard = await app.ask({ do: 'flush' }).catch(String);
        expect(heard).to.include('metrics export failed');
      });
      compareNumber('e', `${what}: exports that got through`, 0, arrivals(collector.received(), what).length);
    });
});
