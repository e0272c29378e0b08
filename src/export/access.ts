/**
 * Who may ask. Everything is checked before any work is done for a request. Nothing that was sent is repeated
 * in an answer or a warning.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { isIP } from 'node:net';
import { OptionError, shortText } from '../base/errors.ts';
import { isObject, rule, type Check } from '../base/options.ts';
import { RenewedFiles, type ReadFile } from '../base/renewed-files.ts';
import type { Warnings } from '../base/warnings.ts';
import { comparer, PasswordCheck } from './password-check.ts';
import { checkWebConfig, webConfigOf, type WebConfig } from './web-config.ts';

export interface AccessOptions {
  /**
   * A configuration file of Prometheus' exporter-toolkit, or its content: users with bcrypt hashes, response
   * headers and, for the exporter thread, TLS and client certificates. A file is read again when it changes.
   * YAML needs the package `yaml`, bcrypt hashes need `bcryptjs`. Default `SEQLOCK_METRICS_WEB_CONFIG_FILE`,
   * else none.
   */
  readonly webConfig?: string | WebConfig;
  /**
   * A file with a token that requests must bear (`Authorization: Bearer ...`), read again when it changes.
   * Default `SEQLOCK_METRICS_BEARER_TOKEN_FILE`, else none.
   */
  readonly bearerTokenFile?: string;
  /**
   * SHA-256 of such a token, in hexadecimal digits. Default `SEQLOCK_METRICS_BEARER_TOKEN_SHA256`, else none.
   */
  readonly bearerTokenSha256?: string;
  /**
   * Host names that requests from this machine may use beside `localhost` and addresses. Others are refused,
   * because a web page can make a browser ask a local address under another name. `'*'` allows any. Default
   * none.
   */
  readonly allowedHosts?: readonly string[] | '*';
}

/** True when the request may be answered; else it was refused. */
export type Guard = (request: IncomingMessage, response: ServerResponse) => boolean | Promise<boolean>;

const RETRY_SECONDS = 1;

const filePath = rule('the path of a file', (value) => typeof value === 'string' && value !== '');

/** What each option may be. Files are not read. */
export const ACCESS_CHECKS: { readonly [K in keyof Required<AccessOptions>]: Check } = {
  webConfig(value, option) {
    if (!isObject(value)) return filePath(value, option);
    try {
      checkWebConfig(value, option);
    } catch (error) {
      throw new OptionError(
        option,
        value,
        `a web configuration in the form of Prometheus exporter-toolkit: ${messageOf(error)}`,
      );
    }
  },
  bearerTokenFile: filePath,
  bearerTokenSha256: rule(
    '64 hexadecimal digits (printf %s "$TOKEN" | sha256sum)',
    (value) => typeof value === 'string' && /^[0-9a-f]{64}$/i.test(value),
  ),
  allowedHosts: rule(
    "an array of names, or '*'",
    (value) => value === '*' || (Array.isArray(value) && value.every((name) => typeof name === 'string')),
  ),
};

const VARIABLES = {
  webConfig: 'SEQLOCK_METRICS_WEB_CONFIG_FILE',
  bearerTokenFile: 'SEQLOCK_METRICS_BEARER_TOKEN_FILE',
  bearerTokenSha256: 'SEQLOCK_METRICS_BEARER_TOKEN_SHA256',
} as const;

/**
 * The options, with variables in place of what is left out. Throws an `OptionError` if a variable is wrong.
 */
export function accessOptionsOf(options: AccessOptions): AccessOptions {
  const { webConfig, bearerTokenFile, bearerTokenSha256, allowedHosts } = options;
  const given = Object.entries({ webConfig, bearerTokenFile, bearerTokenSha256, allowedHosts }).filter(
    ([, value]) => value !== undefined,
  );
  const ofVariables = Object.entries(VARIABLES).flatMap(([option, variable]) => {
    const value = process.env[variable]?.trim();
    if (value === undefined || value === '') return [];
    ACCESS_CHECKS[option as keyof typeof VARIABLES](value, variable);
    return [[option, value] as const];
  });
  return Object.fromEntries([...ofVariables, ...given]);
}

/** Lets requests through, or refuses them. Belongs to one thread. */
export class Access {
  /** Reads the web configuration. For a server that depends on further files which it names. */
  readonly readWebConfig: (read: ReadFile) => WebConfig;
  readonly #config: RenewedFiles<WebConfig>;
  readonly #tokenHashes: RenewedFiles<readonly Buffer[]>;
  readonly #passwords = new PasswordCheck();
  readonly #allowedHosts: readonly string[] | '*';

  /**
   * `ownNames` are allowed as hosts too. Throws if a variable is wrong or a file cannot be used, so that
   * nothing is served unguarded by mistake.
   */
  constructor(options: AccessOptions, warnings: Warnings, ownNames: readonly string[] = []) {
    const {
      webConfig = {},
      bearerTokenFile: tokenFile,
      bearerTokenSha256: tokenHash,
      allowedHosts = [],
    } = accessOptionsOf(options);
    const keep = (what: string) => (error: unknown) =>
      warnings.loss(
        what,
        messageOf(error),
        `seqlock-metrics: ${what} has changed and cannot be used: ${messageOf(error)}. Its previous content stays in force until the file is right`,
      );
    this.readWebConfig = (read) => webConfigOf(webConfig, read);
    this.#config = new RenewedFiles((read) => {
      const config = this.readWebConfig(read);
      if (Object.keys(config.basic_auth_users ?? {}).length > 0) comparer();
      return config;
    }, keep('the web configuration'));
    this.#tokenHashes = new RenewedFiles((read) => {
      const hashes = tokenHash === undefined ? [] : [Buffer.from(tokenHash, 'hex')];
      return tokenFile === undefined ? hashes : [...hashes, hashOfToken(tokenFile, read(tokenFile))];
    }, keep('the file with the bearer token'));
    this.#allowedHosts =
      allowedHosts === '*' ? '*' : [...allowedHosts, ...ownNames].map((name) => name.toLowerCase());
  }

  /** The current web configuration. */
  get webConfig(): WebConfig {
    return this.#config.value;
  }

  /**
   * True when the request may be answered; otherwise it was refused. Synchronous, except for a password that
   * was not seen before.
   */
  readonly admits = (request: IncomingMessage, response: ServerResponse): boolean | Promise<boolean> => {
    const { basic_auth_users: users = {}, http_server_config: http } = this.webConfig;
    for (const [name, value] of Object.entries(http?.headers ?? {})) response.setHeader(name, value);
    if (!this.#isHostAllowed(request))
      return refuse(
        response,
        403,
        'the Host header names a host that is not allowed: see the option allowedHosts',
      );
    const hasUsers = Object.keys(users).length > 0;
    const hashes = this.#tokenHashes.value;
    if (!hasUsers && hashes.length === 0) return true;
    const { authorization = '' } = request.headers;
    const [, scheme = '', credentials = ''] = /^(\S+) +(\S+)$/.exec(authorization) ?? [];
    const unauthorized = (): boolean => {
      response.setHeader('WWW-Authenticate', [
        ...(hashes.length > 0 ? ['Bearer realm="metrics"'] : []),
        ...(hasUsers ? ['Basic realm="metrics", charset="UTF-8"'] : []),
      ]);
      return refuse(response, 401, 'credentials are required');
    };
    if (scheme.toLowerCase() === 'bearer') return bearsOneOf(credentials, hashes) || unauthorized();
    if (scheme.toLowerCase() !== 'basic' || !hasUsers) return unauthorized();
    const [, user = '', password = ''] =
      /^([^:]*):(.*)$/s.exec(Buffer.from(credentials, 'base64').toString()) ?? [];
    const outcome = this.#passwords.check(password, Object.hasOwn(users, user) ? users[user] : undefined);
    if (outcome === undefined) {
      response.setHeader('Retry-After', RETRY_SECONDS);
      return refuse(response, 503, 'too many passwords wait to be checked');
    }
    if (typeof outcome === 'boolean') return outcome || unauthorized();
    return outcome.then((isRight) => (response.destroyed ? false : isRight || unauthorized()));
  };

  /**
   * A page of any site can make its visitor's browser send requests to the visitor's machine. It uses a name
   * of its own that points there (DNS rebinding), and can read the answer. But it cannot choose the Host
   * header, which has that name.
   */
  #isHostAllowed({ headers: { host }, socket }: IncomingMessage): boolean {
    if (this.#allowedHosts === '*' || host === undefined || !isLoopback(socket.localAddress)) return true;
    const name = host.replace(/:\d*$/, '').toLowerCase();
    return (
      isIP(name.replace(/^\[(.*)\]$/, '$1')) !== 0 ||
      name === 'localhost' ||
      name.endsWith('.localhost') ||
      this.#allowedHosts.includes(name)
    );
  }
}

function isLoopback(address: string | undefined): boolean {
  return address !== undefined && /^(::1$|(::ffff:)?127\.)/.test(address);
}

function hashOfToken(path: string, text: string): Buffer {
  const token = text.trim();
  if (token === '') throw new Error(`${shortText(path)} is empty; it must have a token`);
  return sha256(token);
}

/** Takes a time that does not depend on which token is right, or on how much of it. */
function bearsOneOf(token: string, hashes: readonly Buffer[]): boolean {
  const hash = sha256(token);
  return hashes.reduce((found, one) => timingSafeEqual(one, hash) || found, false);
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function refuse(response: ServerResponse, status: number, reason: string): false {
  response.statusCode = status;
  response.setHeader('Content-Type', 'text/plain; charset=utf-8');
  response.end(`${reason}\n`);
  return false;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
