/** An OTLP endpoint that notes when pushes come, and answers each at once. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export class PushWatch {
  readonly url: string;
  readonly #close: () => void;
  readonly #times: number[] = [];

  private constructor(port: number, close: () => void) {
    this.url = `http://127.0.0.1:${port}/v1/metrics`;
    this.#close = close;
  }

  static async start(): Promise<PushWatch> {
    const server = createServer((request, response) => {
      request.resume().on('end', () => {
        watch.#times.push(performance.now());
        response.end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const watch = new PushWatch((server.address() as AddressInfo).port, () => {
      server.close();
      server.closeAllConnections();
    });
    return watch;
  }

  /** The longest time without a push from `start` to `end`, as `performance.now()` tells them. */
  longestPause(start: number, end: number): number {
    let longest = 0;
    let last = start;
    for (const time of [...this.#times, end]) {
      if (time > start) longest = Math.max(longest, Math.min(time, end) - last);
      last = time;
    }
    return longest;
  }

  close(): void {
    this.#close();
  }
}
