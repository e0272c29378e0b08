/**
 * Sends requests at a constant rate, from a process of its own: load.js <port> <per second> <seconds>. A request's latency counts from when it was
 * due, so that a service that stalls is charged for all that waited meanwhile. Prints latencies in milliseconds as JSON.
 */
import { connect, type Socket } from 'node:net';

/** Enough for a stall of 100 ms at 2,000 a second; what comes on top waits, and its wait counts. */
const CONNECTIONS = 256;
const REQUEST = 'GET /r HTTP/1.1\r\nHost: a\r\n\r\n';
/** The service's answers end so. */
const END = 'ok';

const [port = 0, rate = 0, seconds = 0] = process.argv.slice(2).map(Number);
const total = Math.round(rate * seconds);
const latencies: number[] = [];
const waiting: number[] = [];
const idle: Socket[] = [];
const dueOf = new Map<Socket, number>();

function open(): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => {
      idle.push(socket);
      resolve();
    });
    socket.setNoDelay(true).setEncoding('latin1').on('error', reject);
    socket.on('data', (text: string) => {
      if (!text.endsWith(END)) return;
      latencies.push(performance.now() - dueOf.get(socket)!);
      const due = waiting.shift();
      if (due === undefined) idle.push(socket);
      else send(socket, due);
    });
  });
}

function send(socket: Socket, due: number): void {
  dueOf.set(socket, due);
  socket.write(REQUEST);
}

await Promise.all(Array.from({ length: CONNECTIONS }, open));
const start = performance.now();
for (let sent = 0; latencies.length < total;) {
  const now = performance.now();
  for (; sent < total; sent++) {
    const due = start + (sent * 1000) / rate;
    if (due > now) break;
    const socket = idle.pop();
    if (socket === undefined) waiting.push(due);
    else send(socket, due);
  }
  await new Promise((resolve) => setTimeout(resolve, 1));
}
console.log(JSON.stringify(latencies.map((millis) => Math.round(millis * 1000) / 1000)));
process.exit();
