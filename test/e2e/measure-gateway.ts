/**
 * What the gateway of examples/collector and a Prometheus behind it cost by the number of points, measured on the real programs: app processes push
 * so many series every second.
 *
 *   npm run e2e:programs && node build/test/e2e/measure-gateway.js [--processes 4] [--series 1900] [--seconds 20]
 *
 * Figures and what follows from them: docs/scaling.md.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startApp } from './servers/app.ts';
import { startGateway } from './servers/gateway.ts';
import { scratchFolder } from './servers/scratch.ts';

const { values } = parseArgs({
  options: {
    processes: { type: 'string', default: '4' },
    series: { type: 'string', default: '1900' },
    seconds: { type: 'string', default: '20' },
  },
});
const [processes, series, seconds] = [values.processes, values.series, values.seconds].map(Number) as [
  number,
  number,
  number,
];

/** CPU seconds a process has used; proc_pid_stat(5), in hundredths of a second on Linux. */
function cpuOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function residentMegabytes(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1000;
}

const { gateway, prometheus, stop } = await startGateway(scratchFolder());
const apps = await Promise.all(
  Array.from({ length: processes }, (_, i) =>
    startApp({
      instance: `process-${i}`,
      workers: 0,
      wide: series,
      outputs: [
        {
          kind: 'otlp',
          protocol: 'http/protobuf',
          temporality: 'cumulative',
          url: gateway.url,
          intervalMillis: 1000,
          timeoutMillis: 1000,
        },
      ],
    }),
  ),
);
const points = async (): Promise<number> =>
  (await prometheus.value('sum(otelcol_receiver_accepted_metric_points)')) ?? 0;
const pids = [gateway.child.pid!, prometheus.child.pid!] as const;

await wait(3000); // the first exports make streams and series
const [before, cpuBefore] = [await points(), pids.map(cpuOf)];
await wait(seconds * 1000);
const taken = (await points()) - before;
const cpu = pids.map((pid, i) => cpuOf(pid) - cpuBefore[i]!);
const perMillion = (cpuSeconds: number): string => (cpuSeconds / (taken / 1e6)).toFixed(2);

console.log(
  `${processes} processes of ${series} series, pushed every second: ${Math.round(taken / seconds)} points/s taken`,
);
console.log('| program | CPU seconds for a million points | resident MB |\n|---|---|---|');
['gateway Collector', 'Prometheus 3'].forEach((name, i) =>
  console.log(`| ${name} | ${perMillion(cpu[i]!)} | ${residentMegabytes(pids[i]!).toFixed(0)} |`),
);
for (const app of apps) await app.end();
await stop();
