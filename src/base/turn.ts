/** Lets the event loop turn once. */
export function turn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}
