/** How many operations a node takes at once, and how many bytes of their values: beyond it a refusal costs nothing. */
import { failure } from '../core/errors.ts';
import type { Failure } from '../core/errors.ts';
import { OPERATIONS_IN_FLIGHT_MAX, OPERATION_BYTES_IN_FLIGHT_MAX } from '../core/limits.ts';

/** Who asks: a client at one of the doors, or another node that hands an operation on. */
export type Asker = 'client' | 'peer';

export class Admission {
  /** Nothing new of these is begun: the node stops. */
  private readonly closedTo = new Set<Asker>();
  private readonly begun: Record<Asker, number> = { client: 0, peer: 0 };
  private bytesInFlight = 0;

  /** Operations begun here and not yet answered. */
  inFlight(asker: Asker): number {
    return this.begun[asker];
  }

  close(asker: Asker): void {
    this.closedTo.add(asker);
  }

  isClosed(asker: Asker): boolean {
    return this.closedTo.has(asker);
  }

  /** Null: admitted, until `leave`. A node that stops is no longer the one to ask; another is. */
  refusal(asker: Asker, byteCount: number): Failure | null {
    if (this.closedTo.has(asker)) return failure('not_ready');
    if (
      this.begun.client + this.begun.peer >= OPERATIONS_IN_FLIGHT_MAX ||
      this.bytesInFlight + byteCount > OPERATION_BYTES_IN_FLIGHT_MAX
    )
      return failure('overloaded');
    this.begun[asker] += 1;
    this.bytesInFlight += byteCount;
    return null;
  }

  leave(asker: Asker, byteCount: number): void {
    this.begun[asker] -= 1;
    this.bytesInFlight -= byteCount;
  }
}
