import { diag } from '@opentelemetry/api';

/** Distinct causes remembered; past that, further new causes are not shortText, so that no input can grow the set. */
const MAX_CAUSES = 1000;

/** Prints each cause once, through OpenTelemetry's `diag`. Telemetry must not flood the log of the app it serves. */
export class Warnings {
  readonly #causes = new Set<string>();

  /** Warns with `message` unless `cause` was warned of before. Never throws. */
  once(cause: string, message: string): void {
    if (this.#causes.has(cause) || this.#causes.size >= MAX_CAUSES) return;
    this.#causes.add(cause);
    try {
      diag.warn(message);
    } catch {
      // A logger that throws must not break the app that records.
    }
  }
}
