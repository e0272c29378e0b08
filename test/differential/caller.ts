/** What callers do around a call. */

/** Calls the official SDK where it may throw: a rule says what ought to have happened. */
export function swallow(call: () => void): void {
  try {
    call();
  } catch {
    // it has recorded nothing
  }
}

/** Changes a caller's attributes after they were used. */
export function scramble(attributes: unknown): void {
  if (typeof attributes !== 'object' || attributes === null) return;
  for (const [key, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(attributes))) {
    if (Array.isArray(descriptor.value)) descriptor.value.push('changed later');
    if ('value' in descriptor && !Array.isArray(attributes))
      Object.defineProperty(attributes, key, { value: 'changed later' });
  }
  Object.assign(attributes, { 'added later': true });
}
