/**
 * Bytes of answers that clients have not taken yet: they wait in this process until the client reads. Each connection has
 * its room, and what all of them may hold is bounded, too; when that is used up whoever holds more than a small share
 * waits, so a client that does not read costs itself and nobody else.
 */
import type { Server } from '@grpc/grpc-js';
import {
  ANSWER_BYTES_TOTAL_MAX,
  ANSWER_BYTES_SHARE,
  CONNECTION_ANSWER_BYTES_MAX,
} from '../../core/limits.ts';

export class Untaken {
  /** Of all connections and pipelines together. */
  total = 0;
  private readonly byConnection = new Map<string, number>();

  of(connection: string): number {
    return this.byConnection.get(connection) ?? 0;
  }

  add(connection: string, bytes: number): void {
    this.total += bytes;
    const held = this.of(connection) + bytes;
    if (held > 0) this.byConnection.set(connection, held);
    else this.byConnection.delete(connection);
  }

  /** Is there no room for more answers on this connection? */
  isFull(connection: string): boolean {
    return this.isOver(this.of(connection), CONNECTION_ANSWER_BYTES_MAX);
  }

  /** Is who holds so many bytes to wait, by its own bound or by that of all? */
  isOver(held: number, ownMax: number): boolean {
    return held >= ownMax || (held >= ANSWER_BYTES_SHARE && this.total >= ANSWER_BYTES_TOTAL_MAX);
  }
}

const accounts = new WeakMap<Server, Untaken>();

/** One for all doors of a server. */
export function untakenOf(server: Server): Untaken {
  let account = accounts.get(server);
  if (account === undefined) accounts.set(server, (account = new Untaken()));
  return account;
}
