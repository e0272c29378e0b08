/**
 * The configuration file of Prometheus' exporter-toolkit, which Prometheus' own exporters read: TLS, basic
 * authentication, response headers
 * (https://github.com/prometheus/exporter-toolkit/blob/master/docs/web-configuration.md). All of it is read.
 * `http2` has no effect, since HTTP/1.1 is served.
 */
import { createRequire } from 'node:module';
import { dirname, resolve } from 'node:path';
import { shortText } from '../base/errors.ts';
import type { ReadFile } from '../base/renewed-files.ts';

export const CLIENT_AUTH_TYPES = [
  'NoClientCert',
  'RequestClientCert',
  'RequireAnyClientCert',
  'VerifyClientCertIfGiven',
  'RequireAndVerifyClientCert',
] as const;

/** `tls_server_config`. Paths are relative to the configuration file. */
export interface WebTlsConfig {
  readonly cert_file?: string;
  readonly key_file?: string;
  readonly client_ca_file?: string;
  /** The content of the files, in place of their paths. */
  readonly cert?: string;
  readonly key?: string;
  readonly client_ca?: string;
  /** Default `NoClientCert`. */
  readonly client_auth_type?: (typeof CLIENT_AUTH_TYPES)[number];
  /** One of these must be among the client certificate's subject alternative names. */
  readonly client_allowed_sans?: readonly string[];
  /** Default `TLS12`. */
  readonly min_version?: string;
  readonly max_version?: string;
  readonly cipher_suites?: readonly string[];
  readonly prefer_server_cipher_suites?: boolean;
  readonly curve_preferences?: readonly string[];
}

/** What exporter-toolkit's web configuration file says, in its own words. */
export interface WebConfig {
  readonly tls_server_config?: WebTlsConfig;
  readonly http_server_config?: {
    readonly http2?: boolean;
    readonly headers?: Readonly<Record<string, string>>;
  };
  /** bcrypt hashes by user name. */
  readonly basic_auth_users?: Readonly<Record<string, string>>;
}

const HEADERS = [
  'Content-Security-Policy',
  'X-Frame-Options',
  'X-Content-Type-Options',
  'X-XSS-Protection',
  'Strict-Transport-Security',
];
const TLS_KEYS = [
  'cert_file',
  'key_file',
  'client_ca_file',
  'cert',
  'key',
  'client_ca',
  'client_auth_type',
  'client_allowed_sans',
  'min_version',
  'max_version',
  'cipher_suites',
  'prefer_server_cipher_suites',
  'curve_preferences',
];
const TLS_VERSIONS = ['TLS10', 'TLS11', 'TLS12', 'TLS13'];

/**
 * The content of a file, or the object itself, with absolute paths. Throws an `Error` that names what is
 * wrong and never has passwords in it.
 */
export function webConfigOf(source: string | WebConfig, read: ReadFile): WebConfig {
  if (typeof source !== 'string') return source;
  const path = resolve(source);
  const config = parsed(path, read(path));
  checkWebConfig(config, path);
  const tls = config.tls_server_config;
  if (tls === undefined) return config;
  const absolute = (file: string | undefined) => file && resolve(dirname(path), file);
  const files = Object.entries({
    cert_file: absolute(tls.cert_file),
    key_file: absolute(tls.key_file),
    client_ca_file: absolute(tls.client_ca_file),
  }).filter(([, file]) => file !== undefined);
  return { ...config, tls_server_config: { ...tls, ...Object.fromEntries(files) } };
}

/** JSON is YAML too, and needs no package. */
function parsed(path: string, text: string): WebConfig {
  if (text.trim() === '') return {};
  if (text.trimStart().startsWith('{')) return JSON.parse(text) as WebConfig;
  return yamlParser(path)(text) as WebConfig;
}

function yamlParser(path: string): (text: string) => unknown {
  const require = createRequire(import.meta.url);
  try {
    return (require('yaml') as { readonly parse: (text: string) => unknown }).parse;
  } catch (error) {
    throw new Error(
      `reading ${path} needs the package yaml, which cannot be loaded (${(error as Error).message}): npm install yaml, or write the file as JSON`,
      { cause: error },
    );
  }
}

/** Throws an `Error` that names what is wrong. */
export function checkWebConfig(config: unknown, where: string): asserts config is WebConfig {
  const top = checkKeys(config, where, [
    'tls_server_config',
    'http_server_config',
    'basic_auth_users',
    'rate_limit',
  ]);
  if (top['rate_limit'] !== undefined)
    throw new Error(
      `${where} has rate_limit, which is not supported: use the options maxScrapes and maxConnections instead`,
    );
  const http = checkKeys(top['http_server_config'], `http_server_config of ${where}`, ['http2', 'headers']);
  checkStrings(checkKeys(http['headers'], `headers of ${where}`, HEADERS), `headers of ${where}`);
  const users = checkKeys(top['basic_auth_users'], `basic_auth_users of ${where}`);
  for (const [user, hash] of Object.entries(users))
    if (typeof hash !== 'string' || !/^\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}$/.test(hash))
      throw new Error(
        `the password of user ${shortText(user)} in ${where} is not a bcrypt hash (htpasswd -nBC 10 "" makes one)`,
      );
  if (top['tls_server_config'] !== undefined)
    checkTls(top['tls_server_config'], `tls_server_config of ${where}`);
}

function checkTls(config: unknown, where: string): void {
  const tls = checkKeys(config, where, TLS_KEYS) as WebTlsConfig;
  if ((tls.cert_file ?? tls.cert) === undefined) throw new Error(`${where} has neither cert_file nor cert`);
  if ((tls.key_file ?? tls.key) === undefined) throw new Error(`${where} has neither key_file nor key`);
  const { client_auth_type: type = 'NoClientCert' } = tls;
  if (!CLIENT_AUTH_TYPES.includes(type))
    throw new Error(`client_auth_type of ${where} must be one of ${CLIENT_AUTH_TYPES.join(', ')}`);
  const hasAuthority = (tls.client_ca_file ?? tls.client_ca) !== undefined;
  if (hasAuthority && type === 'NoClientCert')
    throw new Error(
      `${where} has a client_ca, but its client_auth_type asks for no client certificate: set client_auth_type, or remove the client_ca`,
    );
  if (!hasAuthority && type.includes('Verify'))
    throw new Error(
      `${where} has the client_auth_type ${type}, which needs a client_ca_file to verify certificates with`,
    );
  for (const version of [tls.min_version, tls.max_version])
    if (version !== undefined && !TLS_VERSIONS.includes(version))
      throw new Error(`min_version and max_version of ${where} must be one of ${TLS_VERSIONS.join(', ')}`);
}

/** The object itself, or an empty one. Without `allowed` every key is allowed. */
function checkKeys(value: unknown, where: string, allowed?: readonly string[]): Record<string, unknown> {
  if (value === undefined || value === null) return {};
  if (typeof value !== 'object' || Array.isArray(value))
    throw new Error(`${where} must be a mapping of keys to values`);
  const unknown = Object.keys(value).find((key) => allowed?.includes(key) === false);
  if (unknown !== undefined)
    throw new Error(
      `${where} has the unknown key ${shortText(unknown)}; the known keys are ${allowed!.join(', ')}`,
    );
  return value as Record<string, unknown>;
}

function checkStrings(values: Record<string, unknown>, where: string): void {
  for (const [key, value] of Object.entries(values))
    if (typeof value !== 'string') throw new Error(`${key} in ${where} must be a string`);
}
