import { OptionError, shortText } from '../../base/errors.ts';
import type { Warnings } from '../../base/warnings.ts';
import type { MetricDefinition } from './metric-definition.ts';

interface Entry {
  readonly definition: MetricDefinition;
  readonly family: object;
}

/**
 * The metrics of one provider by name. The same definition gives the same metric; another one under the same
 * name is an error.
 */
export class FamilyRegistry {
  readonly #warnings: Warnings;
  readonly #entries = new Map<string, Entry>();

  constructor(warnings: Warnings) {
    this.#warnings = warnings;
  }

  /**
   * The family of a definition, made by `make` if there is none yet. A definition has one kind, so the family
   * has that kind.
   */
  family<F extends object>(definition: MetricDefinition, make: () => F): F {
    const key = definition.name.toLowerCase(); // OpenTelemetry compares names without regard to case
    const entry = this.#entries.get(key);
    if (entry !== undefined) {
      this.#compare(entry.definition, definition);
      return entry.family as F;
    }
    const family = make();
    this.#entries.set(key, { definition, family });
    return family;
  }

  #compare(first: MetricDefinition, second: MetricDefinition): void {
    const { name } = second;
    if (first.name !== name)
      throw new OptionError('name of a metric', name, `spelled as before, ${first.name}, or be another name`);
    if (first.kind !== second.kind)
      throw new OptionError(
        `kind of ${name}`,
        second.kind,
        `a ${first.kind}, which it was made as, or have another name`,
      );
    if (first.buckets.join() !== second.buckets.join())
      throw new OptionError(
        `buckets of ${name}`,
        second.buckets,
        `those it was made with, ${shortText(first.buckets)}, or be for another name`,
      );
    if (second.labelNames !== undefined && first.labelNames?.join() !== second.labelNames.join())
      throw new OptionError(
        `labelNames of ${name}`,
        second.labelNames,
        `those it was made with, ${first.labelNames === undefined ? 'none named' : shortText(first.labelNames)}, or be for another name`,
      );
    if (first.help !== second.help)
      this.#warnings.once(
        'help',
        `${name} ${second.help}`,
        `${first.kind} ${name} was made before with the help text ${shortText(first.help)}, and now with ${shortText(second.help)}; the first is used. Give both the same`,
      );
  }
}
