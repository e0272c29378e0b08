/** The app of `scrape.ts`, in a process of its own: scrape-app.js <contender> <kind> <series> [watched]. */
import { expose, labelsOf, type ExposedKind, type Exposing } from './exposed.ts';
import { StallWatch } from './stall-watch.ts';

export type ScrapeRequest =
  /** Records to each series whose number is a multiple of `every`, and begins to measure. */
  | { readonly do: 'record'; readonly every: number }
  /** Asks for what was measured since. */
  | { readonly do: 'report' };

/** What the app saw of a scrape. */
export interface ScrapeReport {
  /** Milliseconds, without waits for a core where the system tells of them; 0 in an app that is not watched. */
  readonly stall: number;
  /** Milliseconds of CPU, all threads together. */
  readonly cpu: number;
  /** Bytes of memory the process has had at most. */
  readonly peak: number;
}

const [contender, kind, series, watched] = process.argv.slice(2) as [Exposing, ExposedKind, string, string?];
const { record, port } = await expose(contender, { kind });
const labels = Array.from({ length: Number(series) }, (_, i) => labelsOf(i));
const watch = watched === 'watched' ? new StallWatch() : undefined;
let cpu = process.cpuUsage();
let round = 0;

process.on('message', (request: ScrapeRequest) => {
  if (request.do === 'record') {
    round++;
    for (let i = 0; i < labels.length; i += request.every) record(labels[i]!, ((i + round) * 7919) % 12_000);
    globalThis.gc?.(); // what recording left behind is no part of a scrape's stalls
    watch?.reset();
    cpu = process.cpuUsage();
    process.send!({});
    return;
  }
  const { user, system } = process.cpuUsage(cpu);
  const stalls = watch?.stalls();
  const report: ScrapeReport = {
    stall: stalls?.longestOnCore ?? stalls?.longest ?? 0,
    cpu: (user + system) / 1000,
    peak: process.resourceUsage().maxRSS * 1024,
  };
  process.send!(report);
});
process.on('disconnect', () => process.exit());
process.send!({ port });
