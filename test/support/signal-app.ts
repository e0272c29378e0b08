/**
 * A process with a DefaultSignal and others that listen to the same signal: signal-app.js <who> <signal>. It says what happens, a line each,
 * and `ready` first.
 */
import { createRequire } from 'node:module';
import { writeSync } from 'node:fs';
import { DefaultSignal } from '../../src/thread/default-signal.ts';

const require = createRequire(import.meta.url);
const [who, signal] = process.argv.slice(2) as [string, NodeJS.Signals];
const say = (text: string): void => void writeSync(1, `${text}\n`);
const resend = (): void => void process.kill(process.pid, signal);
const othersThan = (own: () => void): number => process.listeners(signal).filter((one) => one !== own).length;

/** What takes part beside the one DefaultSignal, made after it. */
const OTHERS: Record<string, () => void | Promise<void>> = {
  nobody: () => {},
  'signal-exit 4': () => {
    const { onExit } = require('signal-exit') as { onExit(callback: () => void): void };
    onExit(() => say('signal-exit'));
  },
  'signal-exit 3': () => {
    (require('signal-exit-3') as (callback: () => void) => void)(() => say('signal-exit'));
  },
  'both signal-exits': () => {
    void OTHERS['signal-exit 4']!();
    void OTHERS['signal-exit 3']!();
  },
  'a copy': async () => {
    const copy = (await import(new URL('../../src/thread/default-signal.js?copy', import.meta.url).href)) as {
      DefaultSignal: typeof DefaultSignal;
    };
    new copy.DefaultSignal(signal, () => say('copy'));
  },
  'a copy and signal-exit 4': async () => {
    await OTHERS['a copy']!();
    void OTHERS['signal-exit 4']!();
  },
  'one in front that counts': () => {
    const own = (): void => {
      say(`${othersThan(own)} others`);
      if (othersThan(own) > 0) return;
      process.off(signal, own);
      resend();
    };
    setTimeout(() => process.prependListener(signal, own));
  },
  'one that leaves, then counts': () => {
    const own = (): void => {
      process.off(signal, own);
      if (process.listenerCount(signal) === 0) resend();
    };
    process.on(signal, own);
  },
  'one for once that resends': () => void process.once(signal, resend),
  'one for once that ends the app': () =>
    void process.once(signal, () => setTimeout(() => process.exit(9), 50)),
  'one that leaves later': () => {
    const own = (): void => {
      setTimeout(() => {
        process.off(signal, own);
        resend();
      }, 20);
    };
    process.on(signal, own);
  },
  'one that removes all later': () => {
    process.on(signal, () =>
      setTimeout(() => {
        process.removeAllListeners(signal);
        resend();
      }, 20),
    );
  },
  'one that removed all before': () => void process.removeAllListeners(signal),
  'one that goes on': () => {
    let signals = 0;
    process.on(signal, () => {
      say(`signal ${++signals}`);
      if (signals === 2) process.exit(0);
      setTimeout(resend, 20);
    });
  },
};

new DefaultSignal(signal, () => say('acted'));
setInterval(() => {}, 1000);
await OTHERS[who]!();
setTimeout(() => say('ready'), 10);
