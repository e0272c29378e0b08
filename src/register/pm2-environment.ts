const PREFIXES = ['SEQLOCK_METRICS_', 'OTEL_'];

/**
 * In its cluster mode PM2 hands the variables of an app over as one JSON text, and sets them when the process
 * already runs. Those that this package reads are set here, to the same values, since it is loaded before.
 */
export function takePm2Variables(environment: Record<string, string | undefined>): void {
  const text = environment['pm2_env'];
  if (text === undefined) return;
  let variables: Readonly<Record<string, unknown>> | null;
  try {
    variables = JSON.parse(text) as Readonly<Record<string, unknown>> | null;
  } catch {
    return; // not PM2's
  }
  for (const [name, value] of Object.entries(variables ?? {}))
    if (typeof value === 'string' && PREFIXES.some((prefix) => name.startsWith(prefix)))
      environment[name] = value;
}
