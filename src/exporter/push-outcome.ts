import { tell, tellOfLoss } from '../base/warnings.ts';

/**
 * Keeps account of pushes. It reports an outage twice: the first push that fails, with the reason; and the
 * first that succeeds again, with what the outage cost. A delta is sent once, and is lost with a push that
 * fails for good. Totals are not lost.
 */
export class PushOutcome {
  readonly #where: string;
  #failedPushes = 0;
  #lostPoints = 0;
  #hasSucceeded = false;
  #reason: string | undefined;

  constructor(where: string) {
    this.#where = where;
  }

  /** True once a push has succeeded. */
  get hasSucceeded(): boolean {
    return this.#hasSucceeded;
  }

  /** True from a failed push to the next one that succeeds. */
  get failing(): boolean {
    return this.#failedPushes > 0;
  }

  /** Why the latest push failed; undefined when it did not. */
  get reason(): string | undefined {
    return this.#reason;
  }

  /** Call it when no more pushes come. */
  end(): void {
    if (this.failing)
      tellOfLoss(
        'warn',
        `seqlock-metrics: pushing to ${this.#where} ends without a last delivery: ${this.#cost()}`,
      );
    this.#failedPushes = 0;
  }

  /** `lost`: points of deltas that were in the push. */
  failed(lost: number, error: unknown): void {
    this.#reason = `${this.#where}: ${error instanceof Error ? error.message : String(error)}`;
    this.#lostPoints += lost;
    if (this.#failedPushes++ > 0) return;
    const next =
      lost > 0
        ? 'the deltas in pushes that fail are lost'
        : 'the first push that succeeds delivers all totals';
    tellOfLoss(
      'warn',
      `seqlock-metrics: metrics could not be pushed to ${this.#reason}. Pushing goes on at every interval; ${next}`,
    );
  }

  succeeded(): void {
    this.#hasSucceeded = true;
    this.#reason = undefined;
    if (!this.failing) return;
    const message = `seqlock-metrics: metrics are pushed to ${this.#where} again, after ${this.#cost()}`;
    if (this.#lostPoints > 0) tellOfLoss('warn', message);
    else tell('info', message);
    this.#failedPushes = 0;
    this.#lostPoints = 0;
  }

  #cost(): string {
    const pushes = this.#failedPushes === 1 ? 'one failed push' : `${this.#failedPushes} failed pushes`;
    return this.#lostPoints === 0
      ? pushes
      : `${pushes}, in which ${this.#lostPoints} delta data points were lost`;
  }
}
