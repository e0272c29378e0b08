import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer, type ServerOptions as TlsServerOptions } from 'node:https';
import { createSecureContext, type TLSSocket } from 'node:tls';
import { RenewedFiles, type ReadFile } from '../base/renewed-files.ts';
import { Warnings } from '../base/warnings.ts';
import { Access } from '../export/access.ts';
import type { WebConfig } from '../export/web-config.ts';
import { defaultMaxConnections, limitConnections } from './connections.ts';
import type { ExporterPlan } from './options.ts';
import { isClientAdmitted, tlsOptionsOf } from './tls.ts';

const DEFAULT_HEADER_TIMEOUT_MILLIS = 10_000;
const DEFAULT_IDLE_TIMEOUT_MILLIS = 5000;
/** How often connections are checked for their time limits. */
const LOOK_MILLIS = 1000;

const warnings = new Warnings();

/**
 * Makes a server that does not listen yet. It limits connections and their times, checks who asks, and passes
 * allowed requests to `answer`. `ownName`: a host name it may be called by. Throws an `Error` with the reason
 * if a file with access rules cannot be used.
 */
export function guardedServer(
  options: ExporterPlan['exposition'],
  ownName: string,
  answer: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
): Server {
  const access = new Access(options, warnings, [ownName]);
  const { headerTimeoutMillis = DEFAULT_HEADER_TIMEOUT_MILLIS } = options;
  const limits: ServerOptions = {
    headersTimeout: headerTimeoutMillis,
    requestTimeout: headerTimeoutMillis, // with the body, which is never needed
    keepAliveTimeout: options.idleTimeoutMillis ?? DEFAULT_IDLE_TIMEOUT_MILLIS,
    connectionsCheckingInterval: LOOK_MILLIS,
  };
  async function answerIfAdmitted(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => {}); // a receiver that goes away is not the server's fault
    try {
      if (await access.admits(request, response)) await answer(request, response);
    } catch {
      response.destroy();
    }
  }
  const listener: RequestListener = (request, response) => void answerIfAdmitted(request, response);
  const server =
    access.webConfig.tls_server_config === undefined
      ? createServer(limits, listener)
      : tlsServer(access, { ...limits, handshakeTimeout: headerTimeoutMillis }, listener);
  limitConnections(server, options.maxConnections ?? defaultMaxConnections());
  return server;
}

/** Certificates, and the rules for clients' certificates, may change while it runs. */
function tlsServer(access: Access, limits: TlsServerOptions, listener: RequestListener): Server {
  const options = new RenewedFiles(
    (read) => checkedTlsOptions(access.readWebConfig(read), read),
    (error) =>
      warnings.loss(
        'TLS files',
        String(error),
        `seqlock-metrics: the TLS files of the metrics server have changed and cannot be used: ${String(error)}. The server goes on with the previous ones until the files are right`,
      ),
  );
  let used = options.value;
  const server = createTlsServer({ ...limits, ...used }, listener);
  server.prependListener('connection', () => {
    const newest = options.value;
    if (newest === used) return;
    used = newest;
    server.setSecureContext(newest);
  });
  server.prependListener('secureConnection', (socket: TLSSocket) => {
    if (!isClientAdmitted(socket, access.webConfig.tls_server_config ?? {})) socket.destroy();
  });
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  return server;
}

/** Throws if a certificate does not fit its key, or is not a certificate. */
function checkedTlsOptions(
  { tls_server_config: config }: WebConfig,
  read: ReadFile,
): ReturnType<typeof tlsOptionsOf> {
  if (config === undefined)
    throw new Error('tls_server_config was removed; serving without TLS needs a restart of the app');
  const options = tlsOptionsOf(config, read);
  createSecureContext(options);
  return options;
}
