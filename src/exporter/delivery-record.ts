import { systemClock } from '../base/platform.ts';
import type { DeliveryStatus } from './page-protocol.ts';

/** How deliveries of one kind went: scrapes, or pushes to one receiver. */
export class DeliveryRecord {
  #status: DeliveryStatus;

  /** `name`: what it is called on the page. */
  constructor(name: string) {
    this.#status = {
      name,
      at: null,
      millis: null,
      bytes: null,
      failures: 0,
      reason: null,
      failingSince: null,
    };
  }

  get status(): DeliveryStatus {
    return this.#status;
  }

  /** `bytes`: what was sent; null if that is not known. */
  succeeded(millis: number, bytes: number | null): void {
    const { name } = this.#status;
    this.#status = {
      name,
      at: systemClock.now(),
      millis: Math.round(millis * 10) / 10,
      bytes,
      failures: 0,
      reason: null,
      failingSince: null,
    };
  }

  failed(reason: string): void {
    const { failures, failingSince } = this.#status;
    this.#status = {
      ...this.#status,
      failures: failures + 1,
      reason,
      failingSince: failingSince ?? systemClock.now(),
    };
  }
}
