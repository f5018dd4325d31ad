/**
 * Notices when an answer no longer waits for its client. Node does not say so for an answer that stands behind another
 * one of its connection when that connection closes: its response never emits `close`.
 */
import type { Wire } from './key-path.ts';

type Socket = NonNullable<Wire['incoming']>['socket'];

const waitingOn = new WeakMap<Socket, Set<() => void>>();

/** Calls `gone` once, when the answer was taken or its connection has closed; at once if that is so already. */
export function onceTaken({ incoming, outgoing }: Required<Wire>, gone: () => void): void {
  const { socket } = incoming;
  if (outgoing.closed || socket.destroyed) return gone();
  const waiting = waitingOn.get(socket) ?? watched(socket);
  const end = (): void => {
    if (waiting.delete(end)) gone();
  };
  waiting.add(end);
  outgoing.once('close', end);
}

/** One listener for each connection, however many answers wait on it. */
function watched(socket: Socket): Set<() => void> {
  const waiting = new Set<() => void>();
  waitingOn.set(socket, waiting);
  socket.once('close', () => waiting.forEach((end) => end()));
  return waiting;
}
