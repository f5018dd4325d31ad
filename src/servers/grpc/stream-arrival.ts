/**
 * Counts the request bytes of a stream that grpc-js handles, such as a pipeline. grpc-js collects each message until it
 * is complete. The bytes of an incomplete message are counted together with the requests of unary calls
 * (`arrivals.ts`). There is no time limit for a message, because it may be this node that makes the stream wait.
 */
import type { ServerHttp2Stream } from 'node:http2';
import { NO_ROOM } from './arrivals.ts';
import type { Arrivals, Held, Holder } from './arrivals.ts';
import { lookFirst, turnAway } from './raw-status.ts';
import type { StatusOf } from './raw-status.ts';

/** The gRPC message prefix: a flag (compressed or not) and the length of the message, big endian. */
const PREFIX_BYTES = 5;

export class StreamArrival implements Holder {
  readonly stream: ServerHttp2Stream;
  held: Held | null = null;
  private readonly arrivals: Arrivals;
  private readonly statusOf: StatusOf;
  /** How many bytes of an incomplete message have arrived. */
  private byteCount = 0;
  /** How many bytes of the message's prefix have arrived. */
  private prefixBytes = 0;
  private length = 0;
  /** How many bytes of the message are still to come. */
  private bytesLeft = 0;
  /** At least one message is complete, so its operations may have been begun. */
  private isAnyWhole = false;
  private isOver = false;

  constructor(arrivals: Arrivals, stream: ServerHttp2Stream, statusOf: StatusOf) {
    this.arrivals = arrivals;
    this.stream = stream;
    this.statusOf = statusOf;
    lookFirst(stream, (piece) => this.hasRoom(piece));
    stream.once('close', () => this.end());
  }

  private hasRoom(piece: Buffer): boolean {
    if (this.isOver) return false;
    const { byteCount: before, isAnyWhole: mayBeBegun } = this;
    for (let at = 0; at < piece.length;) at += this.take(piece, at);
    const more = this.byteCount - before;
    if (more === 0 || this.arrivals.hold(this, more) || more < 0) return true;
    this.end();
    turnAway(this.stream, mayBeBegun ? null : this.statusOf(NO_ROOM));
    return false;
  }

  /** Returns how many bytes of `piece` were consumed. */
  private take(piece: Buffer, at: number): number {
    if (this.bytesLeft > 0) {
      const taken = Math.min(this.bytesLeft, piece.length - at);
      this.bytesLeft -= taken;
      this.byteCount = this.bytesLeft === 0 ? 0 : this.byteCount + taken;
      this.isAnyWhole ||= this.bytesLeft === 0;
      return taken;
    }
    if (this.prefixBytes > 0) this.length = this.length * 256 + piece[at]!;
    this.prefixBytes += 1;
    this.byteCount += 1;
    if (this.prefixBytes === PREFIX_BYTES) {
      this.bytesLeft = this.length;
      if (this.length === 0) this.byteCount = 0;
      this.prefixBytes = 0;
      this.length = 0;
    }
    return 1;
  }

  private end(): void {
    this.isOver = true;
    if (this.byteCount > 0) this.arrivals.hold(this, -this.byteCount);
    this.byteCount = 0;
  }
}
