/**
 * Bounds how many operations a node takes at once, and how many bytes of their values. Anything beyond is refused
 * cheaply. Clients are refused before other nodes, whose operations were already admitted once; writes and reads are
 * refused separately, each for a standing queue of their own. Reads from memory, heartbeats, epochs and probes do not
 * pass through here: they are always answered.
 */
import { failure } from '../core/errors.ts';
import type { Failure } from '../core/errors.ts';
import {
  CLUSTER_ORDERS_MAX,
  FORWARDED_BYTES_RESERVED,
  FORWARDED_IN_FLIGHT_MAX,
  OPERATIONS_IN_FLIGHT_MAX,
  OPERATION_BYTES_IN_FLIGHT_MAX,
} from '../core/limits.ts';
import { NO_MUTATIONS } from '../core/mutations.ts';
import { Overload } from '../core/clients/overload.ts';

/** Who asks: a client at one of the doors, or another node that forwards an operation. */
export type Asker = 'client' | 'peer';
/** Reads and writes wait for different things, and so in different queues. */
export type Verb = 'read' | 'write';

const CLIENT_BYTES_MAX = OPERATION_BYTES_IN_FLIGHT_MAX - FORWARDED_BYTES_RESERVED;

export class Admission {
  readonly read = new Overload();
  readonly write = new Overload();
  /** Askers whose new operations are refused because the node is stopping. */
  private readonly closedTo = new Set<Asker>();
  private readonly admitsAll: boolean;
  private peersInFlight = 0;
  /** Operations that other nodes have forwarded to this one and that it accepted. */
  forwardedHere = 0;
  private bytesInFlight = 0;
  private ordersUnderWay = 0;

  constructor(mutations = NO_MUTATIONS) {
    this.admitsAll = mutations.admitEverything === true;
  }

  /** Operations started here and not yet answered. */
  inFlight(asker: Asker): number {
    return asker === 'peer' ? this.peersInFlight : this.read.inFlight + this.write.inFlight;
  }

  close(asker: Asker): void {
    this.closedTo.add(asker);
  }

  isClosed(asker: Asker): boolean {
    return this.closedTo.has(asker);
  }

  /**
   * Null if the operation is admitted; then `leave` must be called with the present mark. A stopping node refuses as
   * not ready, so that another node is asked.
   */
  refusal(asker: Asker, verb: Verb, byteCount: number): Failure | null {
    if (this.closedTo.size > 0 && this.closedTo.has(asker)) return failure('not_ready');
    if (asker === 'peer') {
      const isFull =
        this.peersInFlight >= FORWARDED_IN_FLIGHT_MAX ||
        this.bytesInFlight + byteCount > OPERATION_BYTES_IN_FLIGHT_MAX;
      if (isFull && !this.admitsAll) return failure('overloaded');
      this.peersInFlight += 1;
      this.forwardedHere += 1;
    } else {
      const isFull =
        this.read.inFlight + this.write.inFlight >= OPERATIONS_IN_FLIGHT_MAX ||
        this.bytesInFlight + byteCount > CLIENT_BYTES_MAX;
      const queue = this.queueOf(verb);
      if ((isFull || queue.isFull) && !this.admitsAll) {
        queue.refuse();
        return failure('overloaded');
      }
      queue.begin();
    }
    this.bytesInFlight += byteCount;
    return null;
  }

  /** True if a client's write would be refused. Callers use it to hold back a write that can wait. */
  isFull(): boolean {
    const { read, write } = this;
    if (!write.isFull && read.inFlight + write.inFlight < OPERATIONS_IN_FLIGHT_MAX) return false;
    write.turnAway();
    return !this.admitsAll;
  }

  /** The mark for operations admitted now. */
  markOf(verb: Verb): number {
    return this.queueOf(verb).mark;
  }

  leave(asker: Asker, verb: Verb, byteCount: number, mark: number): void {
    if (asker === 'peer') this.peersInFlight -= 1;
    else this.queueOf(verb).end(mark);
    this.bytesInFlight -= byteCount;
  }

  /** Admits an operator's command; false if too many are in progress. */
  beginOrder(): boolean {
    if (this.ordersUnderWay >= CLUSTER_ORDERS_MAX) return false;
    this.ordersUnderWay += 1;
    return true;
  }

  endOrder(): void {
    this.ordersUnderWay -= 1;
  }

  private queueOf(verb: Verb): Overload {
    return verb === 'write' ? this.write : this.read;
  }
}
