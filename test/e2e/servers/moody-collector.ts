import { createServer, type Server, type ServerResponse } from 'node:http';
import { freePort } from '../../../examples/demo/free-port.ts';
import { decodeOtlp, type OtlpRequest } from '../../../examples/demo/otlp-receiver.ts';

/** `down`: nobody listens. `silent`: takes everything and never answers. */
export type Mood =
  | { readonly kind: 'well' | 'down' | 'silent' }
  | { readonly kind: 'refuses'; readonly status: 429 | 503; readonly retryAfterSeconds: number }
  | { readonly kind: 'slow'; readonly millis: number };

/** An OTLP/HTTP endpoint that does what a Collector in trouble does. */
export class MoodyCollector {
  readonly url: string;
  /** What was answered with 200, in order. */
  readonly accepted: OtlpRequest[] = [];
  /** What was read, and answered otherwise or not at all. */
  readonly refused: OtlpRequest[] = [];
  readonly #port: number;
  #mood: Mood = { kind: 'well' };
  #server: Server | undefined;

  private constructor(port: number) {
    this.#port = port;
    this.url = `http://127.0.0.1:${port}/v1/metrics`;
  }

  static async start(): Promise<MoodyCollector> {
    const collector = new MoodyCollector(await freePort());
    await collector.#listen();
    return collector;
  }

  async become(mood: Mood): Promise<void> {
    this.#mood = mood;
    if (mood.kind === 'down') await this.stop();
    else if (this.#server === undefined) await this.#listen();
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  }

  #listen(): Promise<void> {
    this.#server = createServer((request, response) => {
      const mood = this.#mood;
      decodeOtlp(request).then(
        (decoded) => this.#answer(mood, decoded, response),
        (error: unknown) => response.writeHead(400).end(String(error)),
      );
    });
    return new Promise((resolve) => this.#server!.listen(this.#port, '127.0.0.1', resolve));
  }

  #answer(mood: Mood, decoded: OtlpRequest, response: ServerResponse): void {
    const accept = (): void => {
      if (response.destroyed) return void this.refused.push(decoded); // the sender had given up
      this.accepted.push(decoded);
      response.writeHead(200).end();
    };
    if (mood.kind === 'well') return accept();
    if (mood.kind === 'slow') return void setTimeout(accept, mood.millis);
    this.refused.push(decoded);
    if (mood.kind === 'refuses')
      response.writeHead(mood.status, { 'retry-after': String(mood.retryAfterSeconds) }).end();
  }
}
