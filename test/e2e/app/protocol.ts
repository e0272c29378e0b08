/** What a test and its app, and the app and its worker threads, say to each other. */
import type { Books } from './account.ts';

/** Whatever else the official exporters can do is asked of them in environment variables, as a user would. */
export type Output =
  | {
      readonly kind: 'otlp';
      readonly protocol: 'http/protobuf' | 'http/json';
      readonly url: string;
      readonly temporality: 'cumulative' | 'delta';
      readonly intervalMillis: number;
      readonly timeoutMillis: number;
    }
  /** The official Prometheus exporter, or a server with this package's handler. */
  | { readonly kind: 'official endpoint' | 'own endpoint'; readonly port: number };

export interface AppOptions {
  /** The process's `service.instance.id`. */
  readonly instance: string;
  readonly workers: number;
  /** Series of one more counter, which counts once for each at the start: makes exports large. */
  readonly wide?: number;
  readonly outputs: readonly Output[];
}

export interface Vitals {
  /** The longest time the event loop of the main thread was held up since the last time this was asked. */
  readonly longestDelayMillis: number;
  /** Of the main thread, after a collection of garbage. */
  readonly heapBytes: number;
}

/** Of each, the test gets one reply. */
export type Command =
  | { readonly do: 'record'; readonly rounds: number }
  /** Every thread records until `stop`, some rounds every few milliseconds. */
  | { readonly do: 'start' }
  | { readonly do: 'stop' }
  | { readonly do: 'books' }
  | { readonly do: 'flush' }
  | { readonly do: 'vitals' }
  /** What was said through `diag` and the global error handler. */
  | { readonly do: 'said' }
  | { readonly do: 'shutdown' };

export interface Replies {
  readonly record: undefined;
  readonly start: undefined;
  readonly stop: undefined;
  readonly books: Books;
  readonly flush: undefined;
  readonly vitals: Vitals;
  readonly said: string[];
  readonly shutdown: undefined;
}

export type Request = Command & { readonly id: number };

export interface Reply {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}

/** Sent without being asked, when a SIGTERM was dealt with. */
export interface Farewell {
  readonly farewell: Books;
}
