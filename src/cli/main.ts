#!/usr/bin/env node
/** `seqlock-metrics`: reads a store directory from outside. It changes nothing there. */
import { run } from './commands.ts';

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0); // who reads has seen enough
  throw error;
});
process.exitCode = await run(process.argv.slice(2));
