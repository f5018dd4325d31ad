/**
 * How much a learner has under way at once: asked for, or here and not on its disk yet. What clients write goes by the same
 * disk, and waits for this learner's acknowledgement: it must not come to stand behind megabytes. (DESIGN 3)
 */
import { SLOT_COPIES_BYTES_MAX, SLOT_COPIES_IN_FLIGHT_MAX, SLOT_COPY_BYTES_MAX } from './limits.ts';

/** What the largest piece of late counts for after each one more. */
const FORGET_SHARE = 0.9;

export class CopyWindow {
  /** Of the largest piece of late; before the first one: the largest that there may be. */
  private pieceBytes: number = SLOT_COPY_BYTES_MAX;
  private underWay = 0;

  /** One piece always: however large it is, it comes in the end. */
  get hasRoom(): boolean {
    return this.underWay === 0 || this.underWay + this.pieceBytes <= SLOT_COPIES_BYTES_MAX;
  }

  /** Slots that may be copied at once: on a slow way small pieces would otherwise wait for each other's answers. */
  get slotsAtOnce(): number {
    return Math.min(
      SLOT_COPIES_IN_FLIGHT_MAX,
      Math.max(1, Math.floor(SLOT_COPIES_BYTES_MAX / this.pieceBytes)),
    );
  }

  /** A piece is asked for: what it counts for until it is here, or is not waited for any more. */
  ask(): number {
    this.underWay += this.pieceBytes;
    return this.pieceBytes;
  }

  /** It is here: it counts until it is on the disk. */
  arrived(byteCount: number): void {
    this.underWay += byteCount;
    this.pieceBytes = Math.max(1, byteCount, Math.floor(this.pieceBytes * FORGET_SHARE));
  }

  release(byteCount: number): void {
    this.underWay -= byteCount;
  }
}
