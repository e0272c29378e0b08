import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathOf } from '../e2e/programs/programs.ts';

export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** Paths of files that live as long as the folder: nothing of it is a secret of anybody. */
export interface Certificates {
  readonly authority: string;
  readonly server: Certificate;
  readonly client: Certificate;
  /** Of another authority, whom the server does not know. */
  readonly stranger: Certificate;
}

export function makeCertificates(folder: string): Certificates {
  const openssl = (...args: string[]): void => {
    execFileSync(pathOf('openssl'), args, { cwd: folder, stdio: 'pipe' });
  };
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout'];
  const authority = (name: string): string => {
    openssl(
      'req',
      '-x509',
      ...newKey,
      `${name}.key`,
      '-out',
      `${name}.pem`,
      '-days',
      '1',
      '-subj',
      `/CN=${name}`,
    );
    return join(folder, `${name}.pem`);
  };
  const signedBy = (issuer: string, name: string): Certificate => {
    openssl('req', ...newKey, `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
    writeFileSync(join(folder, 'names'), 'subjectAltName=IP:127.0.0.1,DNS:localhost\n');
    const by = ['-CA', `${issuer}.pem`, '-CAkey', `${issuer}.key`, '-CAcreateserial'];
    openssl(
      'x509',
      '-req',
      '-in',
      `${name}.csr`,
      ...by,
      '-out',
      `${name}.pem`,
      '-days',
      '1',
      '-extfile',
      'names',
    );
    return { cert: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) };
  };
  const known = authority('authority');
  authority('unknown');
  return {
    authority: known,
    server: signedBy('authority', 'server'),
    client: signedBy('authority', 'client'),
    stranger: signedBy('unknown', 'stranger'),
  };
}
