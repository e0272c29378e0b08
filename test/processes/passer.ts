/** A process that counts a little, and ends in one of the ways there are. */
import { MetricStore, SeqlockMeterProvider } from '../../src/index.ts';
import type { PasserJob } from './jobs.ts';

const { directory, number } = JSON.parse(process.argv.at(-1)!) as PasserJob;
const store = MetricStore.open({ directory });
const provider = new SeqlockMeterProvider({ store });
const meter = provider.getMeter('passer');
meter.createCounter('counted').add(1, { route: `/${number % 7}` });
meter.createHistogram('timed').record(number % 100);
if (number % 3 === 0) process.kill(process.pid, 'SIGKILL');
else if (number % 3 === 1) process.exit();
else {
  await provider.shutdown();
  store.close();
}
