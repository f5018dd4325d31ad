/**
 * The Redis door: listens, accepts a bounded number of connections, closes idle ones, and on shutdown lets commands
 * under way be answered.
 */
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { RESP_IDLE_LOOK_MS } from '../../core/clients/redis-limits.ts';
import type { NodeApi } from '../../node/api.ts';
import { Connection } from './connection.ts';
import { Door } from './door.ts';
import type { RespSettings } from './door.ts';

/** Milliseconds that the last answers may take to be sent on shutdown. */
const CLOSE_MS_MAX = 2_000;
/** Milliseconds of silence after which TCP keepalive probes begin. */
const KEEPALIVE_MS = 300_000;

export interface RespServer {
  readonly port: number;
  readonly door: Door;
  /** Accepts nothing new, answers what was begun, and resolves when no connection is left. */
  close(): Promise<void>;
}

/** Rejects if the port is not available. Port 0 means any free port. */
export function openRespServer(
  api: NodeApi,
  host: string,
  port: number,
  settings: RespSettings,
): Promise<RespServer> {
  const door = new Door(api, settings);
  const server = createServer(
    { allowHalfOpen: true, keepAlive: true, keepAliveInitialDelay: KEEPALIVE_MS },
    (socket) => welcome(door, socket),
  );
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      const bound = server.address();
      door.port = typeof bound === 'object' && bound !== null ? bound.port : port;
      const looks = setInterval(() => look(door), RESP_IDLE_LOOK_MS);
      looks.unref();
      resolve({ port: door.port, door, close: () => close(server, door, looks) });
    });
  });
}

function welcome(door: Door, socket: Socket): void {
  if (door.clients.size >= door.connectionsMax) {
    door.counts.rejected += 1;
    socket.on('error', () => socket.destroy());
    socket.end('-ERR max number of clients reached\r\n');
    socket.destroySoon();
    return;
  }
  const { client } = new Connection(door, socket, door.idOfNext());
  door.clients.set(client.id, client);
}

function look(door: Door): void {
  door.now = performance.now();
  door.recentUse.look(door.now, door.counts);
  door.tracking.tellHeld();
  if (door.isOutputFull()) cutStuck(door);
  if (door.idleMsMax === 0) return;
  for (const { line, queue } of door.clients.values()) {
    if (queue.unanswered === 0 && line.idleMs() >= door.idleMsMax) line.cut();
  }
}

/** Frees their memory for clients that read. */
function cutStuck(door: Door): void {
  for (const { line } of door.clients.values()) {
    if (!line.isStuck()) continue;
    door.counts.cut += 1;
    line.cut();
  }
}

function close(server: Server, door: Door, looks: NodeJS.Timeout): Promise<void> {
  clearInterval(looks);
  return new Promise((resolve) => {
    const cut = setTimeout(() => {
      for (const { line } of door.clients.values()) line.cut();
    }, CLOSE_MS_MAX);
    server.close(() => {
      clearTimeout(cut);
      resolve();
    });
    for (const { line } of door.clients.values()) line.closeInOrder();
  });
}
