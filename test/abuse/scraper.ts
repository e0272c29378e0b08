/** The process of an `HonestScraper`: scrapes until it is told to stop, then says what it has seen. */
import type { IncomingHttpHeaders } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { scrape, type Seen } from './target.ts';

const { port, pauseMillis, headers } = JSON.parse(process.argv[2]!) as {
  port: number;
  pauseMillis: number;
  headers: IncomingHttpHeaders;
};
const seen: Seen = { scrapes: [], failures: [] };
let isStopped = false;
process.on('message', () => (isStopped = true));
process.on('disconnect', () => process.exit()); // told all, or its parent is gone

let ticks = 0;
while (!isStopped) {
  try {
    const one = await scrape(port, headers);
    if (one.status !== 200) seen.failures.push(`status ${one.status}`);
    else if (!(one.ticks >= ticks)) seen.failures.push(`ticks fell from ${ticks} to ${one.ticks}`);
    else seen.scrapes.push(one);
    ticks = Math.max(ticks, one.ticks || 0);
  } catch (error) {
    seen.failures.push((error as Error).message);
  }
  await wait(pauseMillis);
}
process.send!(seen);
