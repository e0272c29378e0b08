/** Collects what the code under test warns of. */
import { diag, DiagLogLevel } from '@opentelemetry/api';

export function collectWarnings(): { readonly warnings: string[]; stop(): void } {
  const warnings: string[] = [];
  const quiet = (): void => {};
  const warn = (message: string): void => void warnings.push(message);
  diag.setLogger(
    { error: quiet, warn, info: quiet, debug: quiet, verbose: quiet },
    { logLevel: DiagLogLevel.ALL, suppressOverrideMessage: true },
  );
  return { warnings, stop: () => diag.disable() };
}
