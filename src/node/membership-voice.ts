/**
 * In whose name this process speaks: nothing is said before its incarnation is on disk, nor to whom no link leads. (PROTOCOL R11)
 */
import type { FrameHeader, PeerMessage } from '../core/message.ts';
import { PROTOCOL_MIN, protocolInForce } from '../core/protocol-versions.ts';
import type { MembershipParts } from './membership-parts.ts';
import type { PeerTable } from './membership-peers.ts';
import type { MembershipSelf } from './membership-self.ts';

/** The version that who hears this must speak. */
function neededBy(message: PeerMessage): number {
  switch (message.kind) {
    case 'topology':
    case 'accept':
    case 'succession':
      return protocolInForce(message.topology);
    case 'promise':
      return message.accepted === null ? PROTOCOL_MIN : protocolInForce(message.accepted.topology);
    default:
      return PROTOCOL_MIN;
  }
}

export class Voice {
  private readonly self: MembershipSelf;
  private readonly peers: PeerTable;
  private readonly epoch: () => number;
  private readonly out: MembershipParts['send'];
  /** As it was asked for last: it stands in thousands of messages a second, and changes with an epoch. */
  private last: FrameHeader = { from: 0, incarnation: 0, epoch: 0 };

  constructor(self: MembershipSelf, peers: PeerTable, epoch: () => number, out: MembershipParts['send']) {
    this.self = self;
    this.peers = peers;
    this.epoch = epoch;
    this.out = out;
  }

  header(): FrameHeader {
    const { identity, incarnation } = this.self;
    const from = identity.id;
    const epoch = this.epoch();
    const { last } = this;
    if (last.from !== from || last.incarnation !== incarnation || last.epoch !== epoch)
      this.last = { from, incarnation, epoch };
    return this.last;
  }

  /** `isFollowed`: another message to the same peer follows at once, and it leaves with that one, in one frame. */
  send(name: string, message: PeerMessage, isFollowed = false): void {
    const peer = this.peers.get(name);
    if (this.self.incarnation === 0 || peer?.linked !== true) return;
    // A topology of a version that the peer does not speak is not for it: it cannot take part before it is upgraded.
    if (neededBy(message) <= peer.protocol) this.out(name, message, isFollowed);
  }

  broadcast(message: PeerMessage): void {
    for (const peer of this.peers.linked()) this.send(peer.name, message);
  }
}
