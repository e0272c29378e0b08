/** What held and what did not, line by line. */
let passed = 0;
let failed = 0;

export function check(ok: boolean, text: string): void {
  if (ok) passed++;
  else failed++;
  console.log(`${ok ? 'ok ' : 'BAD'} ${text}`);
}

/** For what this machine cannot do: loud, and with CI=true a failure. */
export function skip(text: string): void {
  if (process.env['CI'] === 'true') check(false, `not run: ${text}`);
  else console.log(`SKIPPED: ${text}`);
}

/** Prints the last line; what the process is to exit with. */
export function conclude(): number {
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 && passed > 0 ? 0 : 1;
}
