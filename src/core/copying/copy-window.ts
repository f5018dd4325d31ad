/**
 * Bounds how much a learner has under way at once: requested, or received and not on its disk yet. Client writes use
 * the same disk and wait for this learner's acknowledgement, so they must not queue behind megabytes of copies. (DESIGN
 * 3)
 */
import { SLOT_COPIES_BYTES_MAX, SLOT_COPIES_IN_FLIGHT_MAX, SLOT_COPY_BYTES_MAX } from '../limits.ts';

/** The factor by which the size of the largest recent piece decays with each further piece. */
const FORGET_SHARE = 0.9;

export class CopyWindow {
  /** Size of the largest recent piece; until the first piece arrives, the maximum size. */
  private pieceBytes: number = SLOT_COPY_BYTES_MAX;
  private underWay = 0;

  /** One piece is always allowed: however large it is, it must arrive in the end. */
  get hasRoom(): boolean {
    return this.underWay === 0 || this.underWay + this.pieceBytes <= SLOT_COPIES_BYTES_MAX;
  }

  /** Slots that may be copied at once. On a slow link, small pieces would otherwise wait for each other's answers. */
  get slotsAtOnce(): number {
    return Math.min(
      SLOT_COPIES_IN_FLIGHT_MAX,
      Math.max(1, Math.floor(SLOT_COPIES_BYTES_MAX / this.pieceBytes)),
    );
  }

  /** Requests a piece. Returns what it counts for until it arrives or is given up. */
  ask(): number {
    this.underWay += this.pieceBytes;
    return this.pieceBytes;
  }

  /** A piece has arrived: it counts until it is on disk. */
  arrived(byteCount: number): void {
    this.underWay += byteCount;
    this.pieceBytes = Math.max(1, byteCount, Math.floor(this.pieceBytes * FORGET_SHARE));
  }

  release(byteCount: number): void {
    this.underWay -= byteCount;
  }
}
