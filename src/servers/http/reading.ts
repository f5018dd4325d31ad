/**
 * Bounds what the HTTP door reads in one turn of the event loop. Node takes apart whatever has come on all connections
 * before anything else has its turn: a few hundred clients that send requests without waiting for answers would hold up
 * the node's own messages, and its lease with them, for seconds. When the time of a turn is over, no further connection
 * is read; in the next turns some are read again, those first that have waited longest.
 *
 * New connections are read at once, because a probe comes on one of its own.
 */
import type { Socket } from 'node:net';
import {
  HTTP_NEW_CONNECTIONS_MAX,
  HTTP_READ_AGAIN_MAX,
  HTTP_TURN_MS,
} from '../../core/clients/http-limits.ts';

type Readable = Pick<Socket, 'pause' | 'resume' | 'once' | 'isPaused'>;

export class Reading {
  /** Milliseconds on any clock that only goes forwards. */
  now: () => number = () => performance.now();
  private readonly open = new Set<Readable>();
  /** Those that are not read, in the order in which they will be again. */
  private readonly waiting = new Set<Readable>();
  /** The newest connections, of those that have not sent a request yet. */
  private readonly fresh = new Set<Readable>();
  /** Those that are read again in this turn; they are not stopped in it, so that each gets its chance. */
  private readonly again = new Set<Readable>();
  /** Those that a request has come from in this turn. */
  private readonly heard = new Set<Readable>();
  private againMax = HTTP_READ_AGAIN_MAX;
  /** 0: no request has come in this turn. */
  private endsAt = 0;
  private isOver = false;
  private isScheduled = false;

  opened(socket: Readable): void {
    this.open.add(socket);
    this.fresh.add(socket);
    if (this.fresh.size > HTTP_NEW_CONNECTIONS_MAX) this.fresh.delete(first(this.fresh));
    socket.once('close', () => {
      for (const set of [this.open, this.waiting, this.fresh, this.again, this.heard]) set.delete(socket);
    });
  }

  /** To be called for each request as soon as Node has taken it apart, whatever becomes of it. */
  took(socket: Readable): void {
    this.fresh.delete(socket);
    this.heard.add(socket);
    if (this.isOver) return;
    const now = this.now();
    if (this.endsAt === 0) {
      this.endsAt = now + HTTP_TURN_MS;
      this.schedule();
    } else if (now >= this.endsAt) {
      this.isOver = true;
      for (const each of this.open) if (!this.fresh.has(each) && !this.again.has(each)) this.stop(each);
    }
  }

  private schedule(): void {
    if (this.isScheduled) return;
    this.isScheduled = true;
    setImmediate(() => this.end());
  }

  /** Comes after everything that was read in this turn. */
  private end(): void {
    this.isScheduled = false;
    if (this.isOver) {
      // They had their chance, and wait behind the others.
      for (const socket of this.heard) {
        if (this.waiting.delete(socket)) this.waiting.add(socket);
        else this.stop(socket);
      }
    }
    // Node itself goes on reading a connection at the end of a request, and when its body is asked for.
    for (const socket of this.waiting) socket.pause();
    this.againMax = this.isOver ? 1 : Math.min(2 * this.againMax, HTTP_READ_AGAIN_MAX);
    this.isOver = false;
    this.endsAt = 0;
    this.heard.clear();
    this.again.clear();
    for (const socket of this.waiting) {
      if (this.again.size >= this.againMax) break;
      this.waiting.delete(socket);
      this.again.add(socket);
      socket.resume();
    }
    if (this.again.size > 0) this.schedule();
  }

  private stop(socket: Readable): void {
    // Node reads no further than the body of a request that nobody reads yet, and goes on by itself.
    if (socket.isPaused() && !this.waiting.has(socket)) return;
    socket.pause();
    this.waiting.add(socket);
  }
}

function first<Item>(set: ReadonlySet<Item>): Item {
  return set.values().next().value!;
}
