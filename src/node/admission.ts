/** How many operations a node takes at once, and how many bytes of their values: beyond it a refusal costs nothing. */
import { failure } from '../core/errors.ts';
import type { Failure } from '../core/errors.ts';
import { OPERATIONS_IN_FLIGHT_MAX, OPERATION_BYTES_IN_FLIGHT_MAX } from '../core/limits.ts';

export class Admission {
  /** Operations begun here and not yet answered. */
  inFlight = 0;
  /** The node stops: nothing new is begun. */
  isClosed = false;
  private bytesInFlight = 0;

  /** Null: admitted, until `leave`. A node that stops is no longer the one to ask; another is. */
  refusal(byteCount: number): Failure | null {
    if (this.isClosed) return failure('not_ready');
    if (
      this.inFlight >= OPERATIONS_IN_FLIGHT_MAX ||
      this.bytesInFlight + byteCount > OPERATION_BYTES_IN_FLIGHT_MAX
    )
      return failure('overloaded');
    this.inFlight += 1;
    this.bytesInFlight += byteCount;
    return null;
  }

  leave(byteCount: number): void {
    this.inFlight -= 1;
    this.bytesInFlight -= byteCount;
  }
}
