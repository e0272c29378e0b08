/** Real HTTP requests to the service, and an account of what was sent. */

const ALGORITHMS = ['md5', 'sha1', 'sha256'] as const;

export type Algorithm = (typeof ALGORITHMS)[number];

export interface Sent {
  ok: number;
  notFound: number;
  bytes: number;
  readonly byAlgorithm: Record<Algorithm, number>;
}

export function nothingSent(): Sent {
  return { ok: 0, notFound: 0, bytes: 0, byAlgorithm: { md5: 0, sha1: 0, sha256: 0 } };
}

/**
 * Sends `count` requests, `atOnce` at a time, and adds them to `sent`. Rejects when an answer is not as it
 * should be.
 */
export async function sendRequests(url: string, count: number, atOnce: number, sent: Sent): Promise<void> {
  let next = 0;
  const sendInTurn = async (): Promise<void> => {
    for (let i = next++; i < count; i = next++) await sendOne(url, i, sent);
  };
  await Promise.all(Array.from({ length: atOnce }, sendInTurn));
}

async function sendOne(url: string, i: number, sent: Sent): Promise<void> {
  const known = i % 20 !== 0;
  const algorithm = ALGORITHMS[i % ALGORITHMS.length]!;
  const bytes = 1 + ((i * 7919) % 4096);
  const response = await fetch(known ? `${url}/checksum/${algorithm}/${bytes}` : `${url}/nowhere`);
  await response.text();
  if (response.status !== (known ? 200 : 404))
    throw new Error(`request ${i} was answered with ${response.status}`);
  if (!known) {
    sent.notFound++;
    return;
  }
  sent.ok++;
  sent.bytes += bytes;
  sent.byAlgorithm[algorithm]++;
}
