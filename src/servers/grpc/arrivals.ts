/**
 * Bounds the requests that are still arriving, of unary calls and within streams: how many bytes of them a node holds
 * over all connections and, for unary calls, how long they may take. A client that starts calls and never finishes them
 * only harms itself: when all room is used up, calls are refused on connections that hold more than a small share, and
 * a call that takes too long is ended. Either happens before the operation is begun.
 */
import type { Http2Session, ServerHttp2Stream } from 'node:http2';
import { failure } from '../../core/errors.ts';
import type { Failure } from '../../core/errors.ts';
import {
  GRPC_LOOK_MS,
  GRPC_REQUEST_BYTES_SHARE,
  GRPC_REQUEST_BYTES_TOTAL_MAX,
  GRPC_REQUEST_MS_MAX,
} from '../../core/clients/grpc-limits.ts';
import { lookFirst, turnAway } from './raw-status.ts';
import type { StatusOf } from './raw-status.ts';

/** A call for which request bytes are held. */
export interface Holder {
  readonly stream: ServerHttp2Stream;
  /** The account of its connection; null until bytes of this call have arrived. */
  held: Held | null;
}

/** A call whose request is still arriving. */
export interface Arrival extends Holder {
  /** How many bytes of the request have arrived. */
  readonly byteCount: number;
  /** The number of the `look` at which the request began. */
  readonly since: number;
  /** Ends the call with this failure. */
  turnAway(failed: Failure): void;
}

export interface Held {
  bytes: number;
}

const LOOKS_MAX = GRPC_REQUEST_MS_MAX / GRPC_LOOK_MS;

export class Arrivals {
  /** Bytes held over all connections. */
  total = 0;
  looks = 0;
  /** In order of arrival, the oldest first. */
  private readonly open = new Set<Arrival>();
  private readonly byConnection = new WeakMap<Http2Session, Held>();

  /** How many requests are still arriving. */
  get openCount(): number {
    return this.open.size;
  }

  begin(arrival: Arrival): void {
    this.open.add(arrival);
  }

  /**
   * Counts `bytes` more of this request, which `byteCount` already includes. Returns false if there was no room for
   * them: the call was ended.
   */
  came(arrival: Arrival, bytes: number): boolean {
    if (!this.open.has(arrival)) return false;
    if (this.hold(arrival, bytes)) return true;
    this.end(arrival);
    arrival.turnAway(NO_ROOM);
    return false;
  }

  /**
   * Adds `bytes` (negative to release) to what the call holds. Returns false if that is more than there is room for.
   */
  hold(holder: Holder, bytes: number): boolean {
    const held = (holder.held ??= this.heldBy(holder.stream.session));
    held.bytes += bytes;
    this.total += bytes;
    return this.total <= GRPC_REQUEST_BYTES_TOTAL_MAX || held.bytes <= GRPC_REQUEST_BYTES_SHARE;
  }

  /** The request is complete, or never will be. */
  end(arrival: Arrival): void {
    if (!this.open.delete(arrival)) return;
    this.total -= arrival.byteCount;
    if (arrival.held !== null) arrival.held.bytes -= arrival.byteCount;
  }

  /** Called every GRPC_LOOK_MS. */
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
    // The last bytes may be read when the connection is already gone.
    if (connection !== undefined) this.byConnection.set(connection, held);
    return held;
  }
}

export const NO_ROOM = failure('overloaded', 'too many bytes of requests are on their way to this node');
const TOO_LATE = failure(
  'deadline_before_start',
  `the request did not come to its end within ${GRPC_REQUEST_MS_MAX / 1_000} s`,
);

/** A unary call that grpc-js handles: grpc-js collects the bytes, and this class counts them as they pass. */
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
    // The status is sent after this turn. If the request ended in this turn, grpc-js would otherwise begin the call.
    this.stream.removeAllListeners('end');
    turnAway(this.stream, this.statusOf(failed));
  }
}
