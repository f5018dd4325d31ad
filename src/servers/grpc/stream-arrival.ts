/**
 * A stream that grpc-js takes, such as a pipeline. It collects each message until that is whole, and we count the bytes as they
 * pass: those of a message that is not, together with the requests of single calls (`arrivals.ts`). How long a message takes is
 * not looked at, for it may be this node that lets the stream wait.
 */
import type { ServerHttp2Stream } from 'node:http2';
import { NO_ROOM } from './arrivals.ts';
import type { Arrivals, Held, Holder } from './arrivals.ts';
import { lookFirst, turnAway } from './raw-status.ts';
import type { StatusOf } from './raw-status.ts';

/** gRPC: a flag (compressed or not) and the message's length, big endian. */
const PREFIX_BYTES = 5;

export class StreamArrival implements Holder {
  readonly stream: ServerHttp2Stream;
  held: Held | null = null;
  private readonly arrivals: Arrivals;
  private readonly statusOf: StatusOf;
  /** Of a message that is not whole: those that have come. */
  private byteCount = 0;
  /** Of its prefix. */
  private prefixBytes = 0;
  private length = 0;
  /** That are to come. */
  private bytesLeft = 0;
  /** A message came whole: what it asks may have been begun. */
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

  /** Returns how many bytes it has looked at. */
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
