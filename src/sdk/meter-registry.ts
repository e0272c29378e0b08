import type { Attributes } from '@opentelemetry/api';
import type { Warnings } from '../base/warnings.ts';
import { shortText } from '../base/errors.ts';
import { unknownKey } from '../base/options.ts';
import { canonicalAttributes } from '../state/attributes.ts';
import { scopeKey } from '../state/records.ts';
import { Meter } from './meter.ts';
import type { MeterContext } from './meter-streams.ts';

/** The meters of one provider. The same scope always gives the same meter. */
export class MeterRegistry {
  readonly #context: MeterContext;
  readonly #warnings: Warnings;
  readonly #meters = new Map<string, Meter>();

  constructor(context: MeterContext) {
    this.#context = context;
    this.#warnings = context.writer.warnings;
  }

  /**
   * The meter of a scope. An invalid name gets a warning and still a working meter (specification, get a
   * meter).
   */
  meter(name: unknown, version: unknown, options: unknown): Meter {
    const { schemaUrl, attributes } = this.#read(options);
    if (typeof name !== 'string' || name === '')
      this.#warnings.once(
        'meter name',
        '',
        `getMeter was called with the name ${shortText(name)}; it must be a string that is not empty. Pass the name of your library`,
      );
    const scope = {
      name: textOf(name),
      version: textOf(version),
      schemaUrl: schemaUrl === undefined || schemaUrl === null ? undefined : textOf(schemaUrl),
      ...this.#scopeAttributes(attributes),
    };
    const key = scopeKey(scope);
    let meter = this.#meters.get(key);
    if (meter === undefined) this.#meters.set(key, (meter = new Meter(scope, this.#context)));
    return meter;
  }

  #read(options: unknown): GivenOptions {
    try {
      const unknown = unknownKey('getMeter', options, ['schemaUrl', 'attributes']);
      if (unknown !== undefined) this.#warnings.once('unknown option', unknown, unknown);
      const { schemaUrl, attributes } = (options ?? {}) as GivenOptions;
      return { schemaUrl, attributes };
    } catch {
      return {}; // a getter that throws
    }
  }

  /** A copy as JSON expresses them; they are part of the scope's identity (specification, get a meter). */
  #scopeAttributes(given: unknown): { readonly attributes?: Attributes } {
    const { keys, values } = canonicalAttributes(given, (cause, message) =>
      this.#warnings.once('getMeter', cause, `getMeter: ${message}`),
    );
    if (keys.length === 0) return {};
    const attributes = Object.fromEntries(keys.map((key, i) => [key, values[i]]));
    return { attributes: JSON.parse(JSON.stringify(attributes)) as Attributes };
  }
}

interface GivenOptions {
  readonly schemaUrl?: unknown;
  /** In the specification, but not yet in the types of the API. */
  readonly attributes?: unknown;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : value === undefined || value === null ? '' : shortText(value);
}
