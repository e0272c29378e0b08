import type { Warnings } from '../base/warnings.ts';
import { printed } from '../base/errors.ts';
import { scopeKey } from '../state/records.ts';
import { Meter, type MeterContext } from './meter.ts';

/** The meters of one provider: asked for twice with the same scope, one is the other. */
export class MeterRegistry {
  readonly #context: MeterContext;
  readonly #warnings: Warnings;
  readonly #meters = new Map<string, Meter>();

  constructor(context: MeterContext) {
    this.#context = context;
    this.#warnings = context.writer.warnings;
  }

  /** The meter of a scope. An invalid name is warned of and still gets a working meter (specification, get a meter). */
  meter(name: unknown, version: unknown, options: unknown): Meter {
    const schemaUrl = schemaUrlOf(options);
    if (typeof name !== 'string' || name === '')
      this.#warnings.once(
        'meter name',
        `getMeter was called with the name ${printed(name)}; pass the name of your library`,
      );
    const scope = {
      name: textOf(name),
      version: textOf(version),
      schemaUrl: schemaUrl === undefined || schemaUrl === null ? undefined : textOf(schemaUrl),
    };
    const key = scopeKey(scope);
    let meter = this.#meters.get(key);
    if (meter === undefined) this.#meters.set(key, (meter = new Meter(scope, this.#context)));
    return meter;
  }
}

function schemaUrlOf(options: unknown): unknown {
  try {
    return (options as { schemaUrl?: unknown } | null | undefined)?.schemaUrl;
  } catch {
    return undefined; // a getter that throws
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : value === undefined || value === null ? '' : printed(value);
}
