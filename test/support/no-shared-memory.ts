/** Asks for seqlock metrics and prints, a line each, what `diag` says, what was made, and that it works. */
import { diag, DiagLogLevel } from '@opentelemetry/api';
import { createMetricsProvider, MetricStore } from '../../src/index.ts';

const say = (level: string) => (message: string) => console.log(`${level}: ${message}`);
const quiet = (): void => {};
diag.setLogger(
  { error: say('error'), warn: say('warn'), info: say('info'), debug: quiet, verbose: quiet },
  DiagLogLevel.INFO,
);
const maxBytes = Number(process.argv[2] ?? 0);
if (maxBytes > 0)
  try {
    MetricStore.open({ maxBytes });
    console.log('opened');
  } catch (error) {
    const { name, code, message } = error as { name: string; code: string; message: string };
    console.log(`${name} ${code} ${message}`);
  }
else {
  const metrics = createMetricsProvider({ eventProcessor: { enabled: true } });
  metrics.counter('c_total', 'C').inc();
  console.log(`mode ${metrics.mode}`);
  console.log(metrics.exportPrometheus());
}
