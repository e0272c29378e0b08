/** What `work` writes to a stream of this process, which shows none of it. */
export function printedTo(name: 'stdout' | 'stderr', work: () => void): string {
  const stream = process[name];
  const { write } = stream;
  let text = '';
  stream.write = (piece: unknown): boolean => {
    text += String(piece);
    return true;
  };
  try {
    work();
  } finally {
    stream.write = write;
  }
  return text;
}
