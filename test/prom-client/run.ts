import { inspect } from 'node:util';
import type * as promClient from 'prom-client';
import { REGISTRIES, type Program, type Step } from './program.ts';

type Client = Pick<typeof promClient, 'Registry' | 'Counter' | 'Gauge' | 'Histogram' | 'Summary'>;
type Methods = Record<string, (...args: unknown[]) => unknown>;

/** What a program gave, line by line. */
export async function run(client: Client, { openMetrics, steps }: Program): Promise<string[]> {
  const Registry = client.Registry as unknown as new (contentType: string) => promClient.Registry;
  const { OPENMETRICS_CONTENT_TYPE, PROMETHEUS_CONTENT_TYPE } = client.Registry;
  const registries = Array.from(
    { length: REGISTRIES },
    () => new Registry(openMetrics ? OPENMETRICS_CONTENT_TYPE : PROMETHEUS_CONTENT_TYPE),
  );
  const metrics: object[] = [];
  const given: string[] = [];
  const perform = async (step: Step): Promise<unknown> => {
    switch (step.do) {
      case 'make': {
        const config = { ...step.config, registers: [registries[step.in]!] };
        return void metrics.push(new client[step.kind](config as never));
      }
      case 'call': {
        const metric = metrics[step.on % metrics.length] as Methods | undefined;
        const result = metric?.[step.method]?.(...step.args);
        return step.method === '_getValue' ? result : undefined;
      }
      case 'child': {
        const metric = metrics[step.on % metrics.length] as Methods | undefined;
        const child = metric?.['labels']!(...step.labels) as Methods | undefined;
        return void child?.[step.method]?.(...step.args);
      }
      case 'registry': {
        const registry = registries[step.on] as unknown as Methods;
        const result = registry[step.method]!(...step.args);
        return step.method === 'getSingleMetric' ? metrics.indexOf(result as object) : undefined;
      }
      case 'export': {
        const registry = registries[step.on]!;
        if (step.how === 'merge') return client.Registry.merge(registries).metrics();
        // prom-client's JSON leaves default labels in the metric, for all registries it is in.
        const how = Object.keys(defaultLabelsOf(registry)).length > 0 ? 'metrics' : step.how;
        const exported = await registry[how]();
        return typeof exported === 'string'
          ? exported
          : JSON.stringify(exported, (_key, value) =>
              value === undefined ? 'undefined' : typeof value === 'number' ? String(value) : value,
            );
      }
    }
  };
  for (const step of steps)
    try {
      given.push(inspect(comparable(await perform(step))));
    } catch (error) {
      const { name, message } = error as Error;
      given.push(`${name}: ${message}`);
    }
  return given;
}

function defaultLabelsOf(registry: promClient.Registry): object {
  return (registry as unknown as { readonly _defaultLabels: object })._defaultLabels;
}

/** Quantiles are estimates, of another kind than prom-client's. The time of an exemplar is that of its run. */
function comparable(exported: unknown): unknown {
  if (typeof exported !== 'string') return exported;
  return exported
    .replaceAll(/(\{[^{}\n]*quantile="[0-9.]+"[^{}\n]*\}) \S+/g, '$1 ~')
    .replaceAll(/( # \{.*\} \S+) \d{10}(\.\d+)?$/gm, '$1 ~')
    .replaceAll(/"timestamp":"[0-9.]+"/g, '"timestamp":"~"')
    .replaceAll(/("quantile":"[0-9.]+"[^{}]*\}),"value":"[^"]*"/g, '$1,"value":"~"');
}
