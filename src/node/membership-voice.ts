/**
 * In whose name this process speaks: nothing is said before its incarnation is on disk, nor to whom no link leads. (PROTOCOL R11)
 */
import type { FrameHeader, PeerMessage } from '../core/message.ts';
import type { MembershipParts } from './membership-parts.ts';
import type { PeerTable } from './membership-peers.ts';
import type { MembershipSelf } from './membership-self.ts';

export class Voice {
  private readonly self: MembershipSelf;
  private readonly peers: PeerTable;
  private readonly epoch: () => number;
  private readonly out: MembershipParts['send'];

  constructor(self: MembershipSelf, peers: PeerTable, epoch: () => number, out: MembershipParts['send']) {
    this.self = self;
    this.peers = peers;
    this.epoch = epoch;
    this.out = out;
  }

  header(): FrameHeader {
    return { from: this.self.identity.id, incarnation: this.self.incarnation, epoch: this.epoch() };
  }

  send(name: string, message: PeerMessage): void {
    if (this.self.incarnation > 0 && this.peers.get(name)?.linked === true) this.out(name, message);
  }

  broadcast(message: PeerMessage): void {
    for (const peer of this.peers.linked()) this.send(peer.name, message);
  }
}
