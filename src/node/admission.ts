/** How many operations a node takes at once, and how many bytes of their values: beyond it a refusal costs nothing. */
import { OPERATIONS_IN_FLIGHT_MAX, OPERATION_BYTES_IN_FLIGHT_MAX } from '../core/limits.ts';

export class Admission {
  /** Operations begun here and not yet answered. */
  inFlight = 0;
  /** The node stops: nothing new is begun. */
  isClosed = false;
  private bytesInFlight = 0;

  admit(byteCount: number): boolean {
    if (this.inFlight >= OPERATIONS_IN_FLIGHT_MAX || this.isClosed) return false;
    if (this.bytesInFlight + byteCount > OPERATION_BYTES_IN_FLIGHT_MAX) return false;
    this.inFlight += 1;
    this.bytesInFlight += byteCount;
    return true;
  }

  leave(byteCount: number): void {
    this.inFlight -= 1;
    this.bytesInFlight -= byteCount;
  }
}
