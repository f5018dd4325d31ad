/**
 * Room for probes when clients hold all connections of the door: whoever gets no answer to a probe ends the process, so
 * clients with many connections could have a healthy node ended. A connection beyond the usual number is let in for
 * one probe; any other request on it is refused, definitely.
 */
import type { Socket } from 'node:net';
import { HTTP_BEYOND_MS_MAX } from '../../core/clients/http-limits.ts';
import type { Wire } from './key-path.ts';
import { Refusal } from './problem.ts';

export class Beyond {
  private readonly sockets = new WeakSet<Socket>();

  add(socket: Socket): void {
    this.sockets.add(socket);
    const timer = setTimeout(() => socket.destroy(), HTTP_BEYOND_MS_MAX);
    socket.once('close', () => clearTimeout(timer));
  }

  /** Returns null if the request may begin. If its connection is one of these, the answer will close it. */
  judge({ incoming, outgoing }: Required<Wire>, isProbe: boolean): Refusal | null {
    if (!this.sockets.has(incoming.socket)) return null;
    outgoing.shouldKeepAlive = false;
    return isProbe ? null : new Refusal(503, 'all connections for clients are in use', 'overloaded');
  }
}
