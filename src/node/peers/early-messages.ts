/**
 * Messages that peers send in an epoch this node has not heard of yet. They are kept in the order of each link until
 * the epoch is known here, and then handled as if they had just arrived. An epoch reaches the members one after the
 * other, and a member that has it immediately asks everybody again; without this buffer it would wait for every member
 * that learned of the epoch after the question, until it asks again. (PROTOCOL R4)
 */
import { EARLY_BYTES_MAX } from '../../core/limits.ts';
import type { FrameHeader, PeerMessage } from '../../core/message.ts';

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
  /** The earliest epoch among the kept messages; cached because it is checked for every message. */
  private earliest = Infinity;

  /** `take`: handles a message, and judges it by the epoch known at that time. */
  constructor(take: (name: string, header: FrameHeader, message: PeerMessage) => void) {
    this.take = take;
  }

  get count(): number {
    return this.kept.length;
  }

  /** `bytes`: the size of the message within its frame. A message that finds no room is lost, as on a broken link. */
  keep(name: string, header: FrameHeader, message: PeerMessage, bytes: number): void {
    if (this.bytes + bytes > EARLY_BYTES_MAX) return;
    this.bytes += bytes;
    this.earliest = Math.min(this.earliest, header.epoch);
    this.kept.push({ name, header, message, bytes });
  }

  /** This epoch is now known here: messages of it are handled, and those of earlier epochs dropped. */
  onEpoch(epoch: number): void {
    if (this.earliest > epoch) return;
    for (const each of this.takeAll()) {
      if (each.header.epoch === epoch) this.take(each.name, each.header, each.message);
      else if (each.header.epoch > epoch) this.keep(each.name, each.header, each.message, each.bytes);
    }
  }

  /** The link is gone: its kept messages would otherwise be handled after newer ones from the next link. */
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
