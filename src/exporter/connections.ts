import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import type { Socket } from 'node:net';

const MOST = 512;
const LEAST = 8;

/**
 * A quarter of the descriptors that the process may have. The rest is for the app's own sockets and files.
 */
export function defaultMaxConnections(): number {
  return Math.max(LEAST, Math.min(MOST, Math.floor(maxDescriptors() / 4)));
}

/** The soft limit, or the usual one if the system does not show it. */
function maxDescriptors(): number {
  try {
    const [, soft] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    return soft === undefined ? Infinity : Number(soft);
  } catch {
    return 4 * MOST;
  }
}

/**
 * Limits a server to `max` connections. One more takes the place of the connection that has been idle
 * longest, so that idle connections keep nobody out. If all have requests, the new one is closed.
 */
export function limitConnections(server: Server, max: number): void {
  let open = 0;
  const idle = new Map<string, Socket>(); // idle for longest first
  server.on('connection', (socket: Socket) => {
    const name = nameOf(socket);
    open++;
    socket.once('close', () => {
      open--;
      idle.delete(name);
    });
    idle.set(name, socket);
    if (open <= max) return;
    const [victim] = idle.entries();
    if (victim === undefined) return;
    idle.delete(victim[0]);
    victim[1].destroy();
  });
  server.on('request', ({ socket }, response) => {
    const name = nameOf(socket);
    const own = idle.get(name);
    if (own === undefined) return;
    idle.delete(name);
    response.once('close', () => {
      if (!own.destroyed) idle.set(name, own);
    });
  });
}

/** One name for a connection and for the TLS socket over it. */
function nameOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
