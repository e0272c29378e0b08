/** The process of an `HonestScraper`: scrapes, says what it has seen when it is to pause, and goes on when it is told to. */
import { once } from 'node:events';
import type { IncomingHttpHeaders } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { scrape, type Asked, type Seen } from './target.ts';

const { asked, pauseMillis, headers } = JSON.parse(process.argv[2]!) as {
  asked: Asked;
  pauseMillis: number;
  headers: IncomingHttpHeaders;
};
let isPaused = false;
process.on('message', (message) => (isPaused = message === 'pause'));
process.on('disconnect', () => process.exit()); // told all, or its parent is gone

let ticks = 0;
for (;;) {
  const seen: Seen = { scrapes: [], failures: [] };
  while (!isPaused) {
    try {
      const one = await scrape(asked, headers);
      if (one.status !== 200) seen.failures.push(`status ${one.status}`);
      else if (!(one.ticks >= ticks)) seen.failures.push(`ticks fell from ${ticks} to ${one.ticks}`);
      else seen.scrapes.push(one);
      ticks = Math.max(ticks, one.ticks || 0);
    } catch (error) {
      seen.failures.push((error as Error).message);
    }
    await wait(pauseMillis);
  }
  const next = once(process, 'message');
  process.send!(seen);
  await next;
}
