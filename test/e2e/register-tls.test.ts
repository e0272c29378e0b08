/** An app that is only preloaded, and a collector that takes TLS with client certificates alone: both as environment variables say. */
import { expect } from 'chai';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { run } from '../support/program.ts';
import { needs } from './programs/programs.ts';
import { makeCertificates, type Certificate, type Certificates } from '../support/certificates.ts';
import { scratchFolder } from './servers/scratch.ts';

const APP = resolve('build/register-tls-app.mjs'); // inside the package, so that its own name resolves

describe('seqlock-metrics/register with certificates', function () {
  this.timeout(60_000);
  let certificates: Certificates;
  let url: string;
  /** Who has pushed: the name in the client's certificate. */
  const pushers: string[] = [];
  let stop = (): void => {};

  before(async function () {
    needs(this, 'openssl');
    writeFileSync(
      APP,
      `import { metrics } from '@opentelemetry/api';
       metrics.getMeter('app').createCounter('counted').add(1);`,
    );
    certificates = makeCertificates(scratchFolder());
    const { authority, server } = certificates;
    const [ca, cert, key] = [authority, server.cert, server.key].map((path) => readFileSync(path));
    const collector = createServer(
      { ca, cert, key, requestCert: true, rejectUnauthorized: true },
      (request, response) => {
        const { subject } = (request.socket as TLSSocket).getPeerCertificate();
        pushers.push(String(subject.CN));
        request.resume().on('end', () => response.end());
      },
    );
    await new Promise<void>((listening) => collector.listen(0, '127.0.0.1', listening));
    url = `https://127.0.0.1:${(collector.address() as AddressInfo).port}`;
    stop = () => void collector.close();
  });
  after(() => {
    stop();
    rmSync(APP, { force: true });
  });
  beforeEach(() => pushers.splice(0));

  const variables = (client: Certificate, prefix = 'OTEL_EXPORTER_OTLP'): Record<string, string> => ({
    [`${prefix}_CERTIFICATE`]: certificates.authority,
    [`${prefix}_CLIENT_CERTIFICATE`]: client.cert,
    [`${prefix}_CLIENT_KEY`]: client.key,
  });
  /** What the app said. */
  const push = async (env: Record<string, string>): Promise<string> => {
    const { stderr } = await run(process.execPath, ['--import', 'seqlock-metrics/register', APP], {
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: url, ...env },
    });
    return stderr;
  };

  it('pushes with those it is given', async () => {
    expect(await push(variables(certificates.client))).to.equal('');
    expect(pushers).to.deep.equal(['client']);
  });

  it('puts those of metrics over those of all signals', async () => {
    const { client, stranger } = certificates;
    const both = { ...variables(stranger), ...variables(client, 'OTEL_EXPORTER_OTLP_METRICS') };
    expect(await push(both)).to.equal('');
    expect(pushers).to.deep.equal(['client']);
  });

  it('pushes nothing without, or with others, and says so', async () => {
    const { client, stranger } = certificates;
    const { OTEL_EXPORTER_OTLP_CERTIFICATE: _, ...distrusting } = variables(client);
    for (const env of [variables(stranger), distrusting])
      expect(await push({ ...env, OTEL_EXPORTER_OTLP_TIMEOUT: '1000' })).to.match(
        /could not be pushed|last export could not be delivered/,
      );
    expect(pushers).to.deep.equal([]);
  });

  it('names a file that it cannot read', async () => {
    const env = { ...variables(certificates.client), OTEL_EXPORTER_OTLP_CERTIFICATE: '/nowhere/ca.pem' };
    expect(await push({ ...env, OTEL_EXPORTER_OTLP_TIMEOUT: '1000' })).to.include(
      'OTEL_EXPORTER_OTLP_CERTIFICATE is "/nowhere/ca.pem"',
    );
  });
});
