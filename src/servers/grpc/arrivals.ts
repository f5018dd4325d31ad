/**
 * Requests that have not come to their end, of unary calls and within streams: how many bytes of them a node holds, over all
 * connections, and for how long those of unary calls. A client that begins calls and does not finish them costs itself: when all room is used up, whose connection
 * holds more than a small share is refused, and who takes too long is told so. Either is told before anything is begun.
 */
import type { Http2Session, ServerHttp2Stream } from 'node:http2';
import { failure } from '../../core/errors.ts';
import type { Failure } from '../../core/errors.ts';
import {
  GRPC_LOOK_MS,
  GRPC_REQUEST_BYTES_SHARE,
  GRPC_REQUEST_BYTES_TOTAL_MAX,
  GRPC_REQUEST_MS_MAX,
} from '../../core/grpc-limits.ts';
import { lookFirst, turnAway } from './raw-status.ts';
import type { StatusOf } from './raw-status.ts';

/** A call of which bytes are held. */
export interface Holder {
  readonly stream: ServerHttp2Stream;
  /** Those of its connection, once any of its own has come. */
  held: Held | null;
}

/** A call whose request is on its way in. */
export interface Arrival extends Holder {
  /** That have come. */
  readonly byteCount: number;
  /** The look at which it began. */
  readonly since: number;
  /** Ends the call. */
  turnAway(failed: Failure): void;
}

export interface Held {
  bytes: number;
}

const LOOKS_MAX = GRPC_REQUEST_MS_MAX / GRPC_LOOK_MS;

export class Arrivals {
  /** Bytes of all. */
  total = 0;
  looks = 0;
  /** The oldest first. */
  private readonly open = new Set<Arrival>();
  private readonly byConnection = new WeakMap<Http2Session, Held>();

  /** Requests on their way. */
  get openCount(): number {
    return this.open.size;
  }

  begin(arrival: Arrival): void {
    this.open.add(arrival);
  }

  /** So many more have come, and are in its count. False: there is no room for them, and the call was ended. */
  came(arrival: Arrival, bytes: number): boolean {
    if (!this.open.has(arrival)) return false;
    if (this.hold(arrival, bytes)) return true;
    this.end(arrival);
    arrival.turnAway(NO_ROOM);
    return false;
  }

  /** So many more bytes of it are held, or fewer. False: more than there is room for. */
  hold(holder: Holder, bytes: number): boolean {
    const held = (holder.held ??= this.heldBy(holder.stream.session));
    held.bytes += bytes;
    this.total += bytes;
    return this.total <= GRPC_REQUEST_BYTES_TOTAL_MAX || held.bytes <= GRPC_REQUEST_BYTES_SHARE;
  }

  /** Its request is whole, or will not be any more. */
  end(arrival: Arrival): void {
    if (!this.open.delete(arrival)) return;
    this.total -= arrival.byteCount;
    if (arrival.held !== null) arrival.held.bytes -= arrival.byteCount;
  }

  /** Once in GRPC_LOOK_MS. */
  look(): void {
    this.looks += 1;
    for (const arrival of this.open) {
      if (this.looks - arrival.since <= LOOKS_MAX) return;
      this.end(arrival);
      arrival.turnAway(TOO_LATE);
    }
  }

  private heldBy(connection: Http2Session | undefined): Held {
    let held = connection === undefined ? undefined : this.byConnection.get(connection);
    if (held !== undefined) return held;
    held = { bytes: 0 };
    // What comes last may be read when the connection has gone.
    if (connection !== undefined) this.byConnection.set(connection, held);
    return held;
  }
}

export const NO_ROOM = failure('overloaded', 'too many bytes of requests are on their way to this node');
const TOO_LATE = failure(
  'deadline_before_start',
  `the request did not come to its end within ${GRPC_REQUEST_MS_MAX / 1_000} s`,
);

/** A unary call that grpc-js takes: it collects the bytes, and we count them as they pass. */
export class LibraryArrival implements Arrival {
  readonly stream: ServerHttp2Stream;
  readonly since: number;
  held: Held | null = null;
  byteCount = 0;
  private readonly statusOf: StatusOf;

  constructor(arrivals: Arrivals, stream: ServerHttp2Stream, statusOf: StatusOf) {
    this.stream = stream;
    this.since = arrivals.looks;
    this.statusOf = statusOf;
    arrivals.begin(this);
    lookFirst(stream, (piece) => {
      this.byteCount += piece.length;
      return arrivals.came(this, piece.length);
    });
    stream.once('end', () => arrivals.end(this));
    stream.once('close', () => arrivals.end(this));
  }

  turnAway(failed: Failure): void {
    // Told after this turn, in which its end may come: grpc-js would begin it.
    this.stream.removeAllListeners('end');
    turnAway(this.stream, this.statusOf(failed));
  }
}
