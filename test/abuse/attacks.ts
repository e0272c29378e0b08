/** What is done to the app. All of it stays on this machine, and ends. */
import { connect, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

const FORMATS = [
  'text/plain',
  'text/plain;version=1.0.0;escaping=allow-utf-8',
  'text/plain;version=1.0.0;escaping=dots',
  'text/plain;version=1.0.0;escaping=values',
  'application/openmetrics-text;version=1.0.0',
  'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8',
  'application/openmetrics-text;version=1.0.0;escaping=dots',
  'application/openmetrics-text;version=1.0.0;escaping=values',
  'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited',
  'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;escaping=dots',
];

/** The request for the `i`th of those who ask for something else each. */
export function rotating(i: number): string {
  return requestText({
    accept: FORMATS[i % FORMATS.length]!,
    'accept-encoding': i % 3 === 0 ? 'gzip' : 'identity',
  });
}

export function requestText(headers: Readonly<Record<string, string>> = {}, method = 'GET'): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} /metrics HTTP/1.1\r\nhost: localhost\r\n${lines.join('')}\r\n`;
}

export async function opened(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1' }).on('error', () => {});
  await new Promise((resolve) => socket.once('connect', resolve).once('close', resolve));
  return socket;
}

/** When it is closed; `once` of node:events would reject where the server resets it. */
function closed(socket: Socket): Promise<unknown> {
  return socket.destroyed ? Promise.resolve() : new Promise((resolve) => socket.once('close', resolve));
}

/** Asks `times` times, so many a second, and hangs up: at once, or when the first bytes have come. */
export async function drop(port: number, times: number, perSecond: number): Promise<void> {
  const dropped: Promise<void>[] = [];
  const started = performance.now();
  for (let i = 0; i < times; i++) {
    dropped.push(askAndDrop(port, i));
    await wait(Math.max(0, started + (1000 * i) / perSecond - performance.now()));
  }
  await Promise.all(dropped);
}

async function askAndDrop(port: number, i: number): Promise<void> {
  const socket = await opened(port);
  socket.write(requestText({ 'accept-encoding': i % 2 === 0 ? 'gzip' : 'identity' }));
  if (i % 3 === 0)
    await Promise.race([
      new Promise((resolve) => socket.once('data', resolve).once('close', resolve)),
      wait(500),
    ]);
  else await wait(i % 20);
  socket.destroy();
}

/** Connections that ask and read nothing. */
export async function ignore(port: number, connections: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  for (let i = 0; i < connections; i++) {
    const socket = await opened(port);
    socket.pause();
    socket.write(requestText());
    sockets.push(socket);
    await wait(20);
  }
  return sockets;
}

/** Reads what is there until the connection ends. How many bytes there were. */
export async function readToEnd(socket: Socket): Promise<number> {
  socket.resume();
  await closed(socket);
  return socket.bytesRead;
}

/** Asks on one connection after each answer, until `untilMillis` of `performance.now()`. The number of answers. */
export async function askInARow(port: number, text: string, untilMillis: number): Promise<number> {
  const socket = await opened(port);
  let answers = 0;
  socket.on('data', () => {
    answers++;
    if (performance.now() < untilMillis) socket.write(text);
    else socket.destroy();
  });
  socket.write(text);
  await closed(socket);
  return answers;
}

/** Asks and reads to the end. The status, and how long it took; 0 where there was no answer. */
export async function ask(port: number, text: string): Promise<{ status: number; millis: number }> {
  const started = performance.now();
  const socket = await opened(port);
  socket.write(text.replace('\r\n\r\n', '\r\nconnection: close\r\n\r\n'));
  let head = '';
  socket.on('data', (bytes: Buffer) => {
    if (head.length < 20) head += bytes.toString('latin1', 0, 40);
  });
  await closed(socket);
  return { status: Number(/^HTTP\/1.1 (\d+)/.exec(head)?.[1] ?? 0), millis: performance.now() - started };
}
