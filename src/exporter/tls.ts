import type { ServerOptions } from 'node:https';
import type { SecureVersion, TLSSocket } from 'node:tls';
import type { ReadFile } from '../base/renewed-files.ts';
import type { WebTlsConfig } from '../export/web-config.ts';

const VERSIONS: Readonly<Record<string, SecureVersion>> = {
  TLS10: 'TLSv1',
  TLS11: 'TLSv1.1',
  TLS12: 'TLSv1.2',
  TLS13: 'TLSv1.3',
};
const CURVES: Readonly<Record<string, string>> = {
  CurveP256: 'P-256',
  CurveP384: 'P-384',
  CurveP521: 'P-521',
};

/**
 * The options of a TLS server. Cipher suites have Go's names, which OpenSSL knows too. Client certificates
 * are requested here and judged by `isClientAdmitted`, since the rules may change while the server runs.
 */
export function tlsOptionsOf(config: WebTlsConfig, read: ReadFile): ServerOptions {
  const {
    client_auth_type: type = 'NoClientCert',
    cipher_suites: ciphers,
    curve_preferences: curves,
  } = config;
  const contentOf = (text: string | undefined, file: string | undefined): string | undefined =>
    file === undefined ? text : read(file);
  const ca = contentOf(config.client_ca, config.client_ca_file);
  return {
    cert: contentOf(config.cert, config.cert_file)!,
    key: contentOf(config.key, config.key_file)!,
    ...(ca !== undefined && { ca }),
    requestCert: type !== 'NoClientCert',
    rejectUnauthorized: false,
    minVersion: VERSIONS[config.min_version ?? 'TLS12']!,
    ...(config.max_version !== undefined && { maxVersion: VERSIONS[config.max_version]! }),
    ...(ciphers !== undefined && ciphers.length > 0 && { ciphers: ciphers.join(':') }),
    ...(curves !== undefined &&
      curves.length > 0 && { ecdhCurve: curves.map((name) => CURVES[name] ?? name).join(':') }),
    honorCipherOrder: config.prefer_server_cipher_suites ?? true,
  };
}

/** Whether the rules admit a client with this certificate, or without one. */
export function isClientAdmitted(
  socket: TLSSocket,
  { client_auth_type: type = 'NoClientCert', client_allowed_sans: sans = [] }: WebTlsConfig,
): boolean {
  const certificate = socket.getPeerX509Certificate?.();
  const isGiven = certificate !== undefined;
  switch (type) {
    case 'NoClientCert':
    case 'RequestClientCert':
      break;
    case 'RequireAnyClientCert':
      if (!isGiven) return false;
      break;
    case 'VerifyClientCertIfGiven':
      if (isGiven && !socket.authorized) return false;
      break;
    case 'RequireAndVerifyClientCert':
      if (!isGiven || !socket.authorized) return false;
  }
  if (sans.length === 0) return true;
  // Names with deceptive characters are in quotes, and are never among those allowed.
  const names =
    certificate?.subjectAltName?.split(', ').map((name) => name.replace(/^[A-Za-z ]+:/, '')) ?? [];
  return names.some((name) => sans.includes(name));
}
