/** A scraper: how long it waits for the whole answer, whatever that is. */
import { get } from 'node:http';

export interface ScrapeOutcome {
  readonly millis: number;
  /** False for another status than 200, a cut connection, or no end within the time-out. */
  readonly answered: boolean;
  /** Sum of all samples whose lines begin with `sum`; 0 where none is asked for. */
  readonly sum: number;
}

/** The default of Prometheus. */
const TIMEOUT_MILLIS = 10_000;

export function scrape(
  port: number,
  { sum, timeoutMillis = TIMEOUT_MILLIS }: { sum?: string; timeoutMillis?: number } = {},
): Promise<ScrapeOutcome> {
  const start = performance.now();
  return new Promise((resolve) => {
    let text = '';
    const end = (answered: boolean): void => {
      request.destroy();
      clearTimeout(timer);
      resolve({ millis: performance.now() - start, answered, sum: sum === undefined ? 0 : sumOf(text, sum) });
    };
    const request = get({ port, host: '127.0.0.1', path: '/metrics', agent: false }, (response) => {
      if (sum === undefined) response.resume();
      else response.setEncoding('latin1').on('data', (piece: string) => (text += piece));
      response.on('end', () => end(response.statusCode === 200)).on('error', () => end(false));
    });
    request.on('error', () => end(false));
    const timer = setTimeout(() => end(false), timeoutMillis);
  });
}

function sumOf(text: string, name: string): number {
  let sum = 0;
  for (const line of text.split('\n'))
    if (line.startsWith(name)) sum += Number(line.slice(line.lastIndexOf(' ') + 1));
  return sum;
}
