/**
 * Counts the bytes of answers that clients have not taken yet; they wait in this process until the client reads. Each
 * connection has a limit of its own, and all of them together have one, too. When the common limit is reached,
 * connections that hold more than a small share must wait, so a client that does not read harms only itself.
 */
import type { Server } from '@grpc/grpc-js';
import {
  ANSWER_BYTES_SHARE,
  ANSWER_BYTES_TOTAL_MAX,
  CONNECTION_ANSWER_BYTES_MAX,
  TURN_ANSWER_BYTES_MAX,
} from '../../core/clients/grpc-limits.ts';

export class Untaken {
  /** Bytes over all connections and pipelines. */
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

  /** Whether this connection has no room for more answers. */
  isFull(connection: string): boolean {
    return this.isOver(this.of(connection), CONNECTION_ANSWER_BYTES_MAX);
  }

  /** Whether a holder of `held` bytes must wait, because of its own limit or because of the common one. */
  isOver(held: number, ownMax: number): boolean {
    return held >= ownMax || (held >= ANSWER_BYTES_SHARE && this.total >= ANSWER_BYTES_TOTAL_MAX);
  }
}

/**
 * Bounds the bytes of large answers made in one turn of the event loop. Further calls begin in later turns, so that
 * heartbeats and other clients' operations run in between.
 */
class Turns {
  private readonly waiting: (() => void)[] = [];
  private bytes = 0;
  private isAsked = false;

  /** Whether a new call may begin in this turn. */
  get isOpen(): boolean {
    return this.hasRoom && this.waiting.length === 0;
  }

  /** Whether a call that has waited for this turn may go on in it. */
  get hasRoom(): boolean {
    return this.bytes < TURN_ANSWER_BYTES_MAX;
  }

  /** Runs `run` in a later turn, in the order of the calls. */
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

/** The account that all doors of one server share. */
export function untakenOf(server: Server): Untaken {
  let account = accounts.get(server);
  if (account === undefined) accounts.set(server, (account = new Untaken()));
  return account;
}
