/** What a test and its app, and the app and its worker threads, say to each other. */
import type { Books, Values } from './account.ts';

/** Whatever else an exporter can do is asked of it in environment variables, as a user would. */
export interface Push {
  readonly protocol: 'http/protobuf' | 'http/json';
  readonly url: string;
  readonly temporality: 'cumulative' | 'delta';
  readonly intervalMillis: number;
  readonly timeoutMillis: number;
  /** Exponential histograms instead of explicit ones. On the main thread only. */
  readonly exponential?: boolean;
}

export type Output =
  /** The official exporters, on the main thread. */
  | ({ readonly kind: 'otlp' } & Push)
  | { readonly kind: 'official endpoint'; readonly port: number }
  /** A server with this package's handler, on the main thread. */
  | { readonly kind: 'own endpoint'; readonly port: number }
  /** The exporter thread, which pushes, or serves, or both. At most one. */
  | { readonly kind: 'thread'; readonly push?: Push; readonly port?: number };

export const PUSHERS = ['main thread', 'exporter thread'] as const;

export function pushFrom(pusher: (typeof PUSHERS)[number], push: Push): Output {
  return pusher === 'main thread' ? { kind: 'otlp', ...push } : { kind: 'thread', push };
}

export interface AppOptions {
  /** The process's `service.instance.id`. */
  readonly instance: string;
  readonly workers: number;
  /** Series of further counters, each of which counts once at the start: makes exports large. */
  readonly wide?: number;
  readonly outputs: readonly Output[];
}

export interface Vitals {
  /** The longest time the event loop of the main thread was held up since the last time this was asked. */
  readonly longestDelayMillis: number;
  /** Of the main thread, after a collection of garbage. */
  readonly heapBytes: number;
  /** Of all threads, and what was not given back to the system. */
  readonly residentBytes: number;
}

/** Of each, the test gets one reply. */
export type Command =
  | { readonly do: 'record'; readonly rounds: number }
  /** Every thread records until `stop`, some rounds every few milliseconds. */
  | { readonly do: 'start' }
  | { readonly do: 'stop' }
  | { readonly do: 'books' }
  | { readonly do: 'values' }
  | { readonly do: 'flush' }
  | { readonly do: 'vitals' }
  /** Holds the main thread up for so long. */
  | { readonly do: 'hang'; readonly millis: number }
  /** What was said through `diag` and the global error handler. */
  | { readonly do: 'said' }
  | { readonly do: 'shutdown' };

export interface Replies {
  readonly record: undefined;
  readonly start: undefined;
  readonly stop: undefined;
  readonly books: Books;
  readonly values: Values;
  readonly flush: undefined;
  readonly vitals: Vitals;
  readonly hang: undefined;
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
