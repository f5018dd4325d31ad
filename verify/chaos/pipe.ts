/**
 * One direction of one connection through a fault proxy: pieces queue, wait for the weather, and go on in order. The
 * queue is bounded: beyond that nothing more is read, and the sender notices as it would notice a slow wire.
 */
import type { Socket } from 'node:net';
import type { Direction } from './direction.ts';

const QUEUE_BYTES_MAX = 4 * 1024 * 1024;

interface Piece {
  readonly bytes: Buffer;
  readonly dueAt: number;
}

export class Pipe {
  /** Its stream has a hole, so it must not continue. */
  hasLost = false;
  private readonly from: Socket;
  private readonly to: Socket;
  private readonly direction: Direction;
  private readonly queue: Piece[] = [];
  private readonly unwatch: () => void;
  private queuedBytes = 0;
  private lastDueAt = 0;
  private sentUntil = 0;
  private isBlocked = false;
  private timer: NodeJS.Timeout | null = null;
  /** How the sending side ended, once it has. */
  private ending: 'finished' | 'broken' | null = null;

  constructor(from: Socket, to: Socket, direction: Direction) {
    this.from = from;
    this.to = to;
    this.direction = direction;
    this.unwatch = direction.watch(() => this.pump());
    from.on('data', (bytes: Buffer) => this.take(bytes));
    from.on('end', () => this.finish('finished'));
    from.on('error', () => this.finish('broken'));
    from.on('close', (isBroken) => this.finish(isBroken ? 'broken' : 'finished'));
    to.on('drain', () => {
      this.isBlocked = false;
      this.pump();
    });
  }

  /** The receiving side sees an end; the sending side does not notice. */
  halfClose(): void {
    this.hasLost = true;
    this.to.end();
  }

  close(): void {
    this.unwatch();
    if (this.timer !== null) clearTimeout(this.timer);
    this.queue.length = 0;
  }

  private take(bytes: Buffer): void {
    const { direction } = this;
    const dueAt = Math.max(this.lastDueAt, performance.now() + direction.drawDelayMs());
    this.lastDueAt = dueAt;
    if (direction.isHeld) direction.toll.heldPieces += 1;
    this.queue.push({ bytes, dueAt });
    this.queuedBytes += bytes.length;
    if (this.queuedBytes > QUEUE_BYTES_MAX) this.from.pause();
    this.pump();
  }

  private finish(ending: 'finished' | 'broken'): void {
    if (this.ending === 'broken') return;
    this.ending = ending;
    this.pump();
  }

  private pump(): void {
    const { direction, queue } = this;
    while (queue.length > 0) {
      if ((direction.isHeld && !direction.isSwallowed) || this.isBlocked) return;
      const { bytes, dueAt } = queue[0]!;
      const now = performance.now();
      const waitMs = Math.max(dueAt, this.sentUntil) - now;
      if (waitMs > 0 && !direction.isSwallowed) return this.wake(waitMs);
      queue.shift();
      this.queuedBytes -= bytes.length;
      if (this.from.isPaused() && this.queuedBytes <= QUEUE_BYTES_MAX / 2) this.from.resume();
      this.pass(bytes, now);
    }
    if (this.ending !== null && !direction.isHeld && !direction.isSwallowed) this.end();
  }

  private pass(bytes: Buffer, now: number): void {
    const { direction } = this;
    if (direction.isSwallowed || this.hasLost) {
      direction.toll.swallowedBytes += bytes.length;
      this.hasLost = true;
      return;
    }
    if (direction.bytesPerSecond !== Infinity) {
      this.sentUntil = Math.max(now, this.sentUntil) + (bytes.length / direction.bytesPerSecond) * 1_000;
      direction.toll.delayedPieces += 1;
    }
    if (this.to.destroyed || this.to.writableEnded) return;
    this.isBlocked = !this.to.write(bytes);
  }

  private wake(waitMs: number): void {
    if (this.timer !== null) return;
    this.timer = setTimeout(() => {
      this.timer = null;
      this.pump();
    }, waitMs);
  }

  private end(): void {
    if (this.ending === 'broken') resetSocket(this.to);
    else if (!this.to.writableEnded) this.to.end();
  }
}

/**
 * A socket that is connecting, or whose end is already being sent, cannot be reset: its handle would stay open for
 * ever.
 */
export function resetSocket(socket: Socket): void {
  if (socket.connecting || socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}
