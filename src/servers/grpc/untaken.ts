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
  TURN_ANSWER_BYTES_MAX,
} from '../../core/limits.ts';

export class Untaken {
  /** Of all connections and pipelines together. */
  total = 0;
  readonly turns = new Turns();
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

/**
 * Large answers made in one turn of the event loop are bounded in bytes: further calls begin in later turns, so that heartbeats
 * and everybody else's operations come in between.
 */
class Turns {
  private readonly waiting: (() => void)[] = [];
  private bytes = 0;
  private isAsked = false;

  /** A call may begin in this turn. */
  get isOpen(): boolean {
    return this.hasRoom && this.waiting.length === 0;
  }

  /** Who has waited for this turn may go on in it. */
  get hasRoom(): boolean {
    return this.bytes < TURN_ANSWER_BYTES_MAX;
  }

  /** In a later turn, in the order of the calls. */
  wait(run: () => void): void {
    this.waiting.push(run);
  }

  made(bytes: number): void {
    this.bytes += bytes;
    this.ask();
  }

  private ask(): void {
    if (this.isAsked) return;
    this.isAsked = true;
    setImmediate(() => {
      this.isAsked = false;
      this.bytes = 0;
      let begun = 0;
      while (begun < this.waiting.length && this.bytes < TURN_ANSWER_BYTES_MAX) this.waiting[begun++]!();
      this.waiting.splice(0, begun);
      if (this.waiting.length > 0) this.ask();
    });
  }
}

const accounts = new WeakMap<Server, Untaken>();

/** One for all doors of a server. */
export function untakenOf(server: Server): Untaken {
  let account = accounts.get(server);
  if (account === undefined) accounts.set(server, (account = new Untaken()));
  return account;
}
