/**
 * What peers say in an epoch of which this node has not heard yet: kept in the order of each link until the epoch is known
 * here, and then taken as if it had just arrived. An epoch reaches the members one after the other, and those who have it
 * ask everybody anew at once; without this each of them would wait for who was later than its question, until it asks
 * again. (PROTOCOL R4)
 */
import { EARLY_BYTES_MAX } from '../core/limits.ts';
import type { FrameHeader, PeerMessage } from '../core/message.ts';

interface Early {
  readonly name: string;
  readonly header: FrameHeader;
  readonly message: PeerMessage;
  readonly bytes: number;
}

export class EarlyMessages {
  private readonly take: (name: string, header: FrameHeader, message: PeerMessage) => void;
  private kept: Early[] = [];
  private bytes = 0;
  /** The earliest epoch of those kept; looked at with every message, so not searched for. */
  private earliest = Infinity;

  /** `take`: hears a message, and judges it by the epoch that is known then. */
  constructor(take: (name: string, header: FrameHeader, message: PeerMessage) => void) {
    this.take = take;
  }

  get count(): number {
    return this.kept.length;
  }

  /** `bytes`: of the message's part of its frame. What finds no room is lost, as on a link that breaks. */
  keep(name: string, header: FrameHeader, message: PeerMessage, bytes: number): void {
    if (this.bytes + bytes > EARLY_BYTES_MAX) return;
    this.bytes += bytes;
    this.earliest = Math.min(this.earliest, header.epoch);
    this.kept.push({ name, header, message, bytes });
  }

  /** This epoch is known here: what was said in it is heard, what was said in an earlier one is over. */
  onEpoch(epoch: number): void {
    if (this.earliest > epoch) return;
    for (const each of this.takeAll()) {
      if (each.header.epoch === epoch) this.take(each.name, each.header, each.message);
      else if (each.header.epoch > epoch) this.keep(each.name, each.header, each.message, each.bytes);
    }
  }

  /** Its link is gone: what was kept of it would come in after what is said on the next one. */
  forget(name: string): void {
    for (const each of this.takeAll())
      if (each.name !== name) this.keep(each.name, each.header, each.message, each.bytes);
  }

  private takeAll(): Early[] {
    const { kept } = this;
    this.kept = [];
    this.bytes = 0;
    this.earliest = Infinity;
    return kept;
  }
}
