import { lookup as lookupName, type LookupAddress } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { clearTimeout, setTimeout } from '../base/platform.ts';

/** How long the system is waited for if there is another answer. */
const PATIENCE_MILLIS = 200;
/** The address of `localhost` if the system does not answer in time (RFC 6761). */
const LOOPBACK: readonly LookupAddress[] = [
  { address: '127.0.0.1', family: 4 },
  { address: '::1', family: 6 },
];

/** Addresses by host name. Plain data. */
export type KnownAddresses = Readonly<Record<string, readonly LookupAddress[]>>;

/**
 * Finds the addresses of host names, and keeps them. The system's search for a name takes a thread of libuv's
 * pool, where the app's files, passwords and other names wait too. A name that was found once is still asked
 * for each time. If the pool has no thread for it, or the name is not found any more, its last addresses are
 * used.
 */
export class HostNames {
  readonly #known: Map<string, readonly LookupAddress[]>;
  readonly #onFound: (name: string, addresses: readonly LookupAddress[]) => void;
  readonly #asked = new Map<string, Promise<readonly LookupAddress[]>>();

  /** `known`: what another object found before. `onFound` is called with each answer of the system. */
  constructor(
    known: KnownAddresses = {},
    onFound: (name: string, addresses: readonly LookupAddress[]) => void = () => {},
  ) {
    this.#known = new Map(Object.entries(known));
    this.#onFound = onFound;
  }

  /**
   * The addresses of a name, at least one; an address is returned as it is. Rejects with the system's error.
   */
  async find(name: string): Promise<readonly LookupAddress[]> {
    const family = isIP(name);
    if (family !== 0) return [{ address: name, family }];
    const answer = this.#ask(name);
    const known = this.#known.get(name) ?? (name === 'localhost' ? LOOPBACK : undefined);
    if (known === undefined) return answer;
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<typeof known>((resolve) => {
      timer = setTimeout(resolve, PATIENCE_MILLIS, known);
    });
    return Promise.race([answer.catch(() => known), patience]).finally(() => clearTimeout(timer));
  }

  /** For the option `lookup` of sockets and requests. */
  readonly lookup: LookupFunction = (name, { all = false, family = 0 }, done) => {
    const wanted = family === 'IPv4' ? 4 : family === 'IPv6' ? 6 : family;
    this.find(name).then(
      (found) => {
        const fitting = found.filter((one) => wanted === 0 || one.family === wanted);
        const [first] = fitting;
        if (first === undefined)
          done(
            Object.assign(new Error(`${name} has no address of IPv${wanted}`), { code: 'ENOTFOUND' }),
            '',
            0,
          );
        else if (all) done(null, [...fitting]);
        else done(null, first.address, first.family);
      },
      (error: NodeJS.ErrnoException) => done(error, '', 0),
    );
  };

  /** One search at a time for each name, because searches that wait must not fill the pool. */
  #ask(name: string): Promise<readonly LookupAddress[]> {
    let asked = this.#asked.get(name);
    if (asked === undefined) {
      asked = new Promise<LookupAddress[]>((resolve, reject) => {
        lookupName(name, { all: true }, (error, addresses) =>
          error === null ? resolve(addresses) : reject(error),
        );
      });
      this.#asked.set(name, asked);
      asked.then(
        (addresses) => {
          this.#asked.delete(name);
          this.#known.set(name, addresses);
          this.#onFound(name, addresses);
        },
        () => this.#asked.delete(name),
      );
    }
    return asked;
  }
}
