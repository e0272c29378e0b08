/**
 * What passes between the thread that starts the exporter thread (the host) and the exporter thread.
 *
 *   control, shared int32 words      0           1        2        3        4        5
 *                                    +-----------+--------+--------+--------+--------+-----------
 *                                    | requested | done   | failed | last   | length | reason ...
 *                                    +-----------+--------+--------+--------+--------+-----------
 *
 * requested   number of the latest flush the host asked for
 * done        number of the latest flush that came to its end
 * failed      1 when that one did not deliver everything
 * last        number of the latest flush at which the app ends
 * reason      why that one failed, in UTF-8, of `length` bytes; written before `done`
 *
 * Flushes are requested in shared memory and not by message. So a host whose event loop has stopped for good
 * (in an 'exit' listener) can request one and wait, and a new exporter thread finds what its dead predecessor
 * was asked for.
 */
import type { Level } from '../base/warnings.ts';
import type { AddressInfo } from 'node:net';
import type { KnownAddresses } from '../exporter/host-names.ts';
import type { Legacy } from '../exporter/exporter.ts';
import type { ExporterPlan } from '../exporter/options.ts';

export const REQUESTED_INDEX = 0;
export const DONE_INDEX = 1;
export const FAILED_INDEX = 2;
export const LAST_INDEX = 3;
export const REASON_LENGTH_INDEX = 4;
export const REASON_OFFSET = 20;
export const CONTROL_BYTES = 1024;

/** The data that the exporter thread is started with. */
export interface ThreadData {
  /** Tells an exporter thread from the app's own threads. */
  readonly isSeqlockExporter: true;
  /** The store's memory. */
  readonly buffer: SharedArrayBuffer;
  readonly control: SharedArrayBuffer;
  readonly plan: ExporterPlan;
  readonly legacy: Legacy;
}

/** From the host: stop pushing, and end. */
export interface StopMessage {
  readonly stop: true;
}

/** From the exporter thread. */
export type ThreadMessage =
  /** It serves, or waits for its port, and pushes. */
  | { readonly type: 'up' }
  /** Another process exports the store. It ends. */
  | { readonly type: 'follows' }
  /** It serves Prometheus there. */
  | { readonly type: 'listening'; readonly address: AddressInfo }
  /** The system has found the addresses of a host name. */
  | { readonly type: 'found'; readonly name: string; readonly addresses: KnownAddresses[string] }
  /** It could not start, and ends. */
  | { readonly type: 'failed'; readonly code: string; readonly message: string }
  /** For the host's `diag`: a logger cannot be sent to a thread. */
  | { readonly type: 'diag'; readonly level: Level; readonly message: string };
