/**
 * Sends messages in this process's name: none before its incarnation is on disk, and none to a peer without a link.
 * (PROTOCOL R11)
 */
import type { FrameHeader, PeerMessage } from '../../core/message.ts';
import { PROTOCOL_MIN, protocolInForce } from '../../core/membership/protocol-versions.ts';
import type { MembershipParts } from './parts.ts';
import type { PeerTable } from './peer-table.ts';
import type { MembershipSelf } from './self.ts';

/** The protocol version that the receiver must speak. */
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
  /** The header last built. It is needed for thousands of messages a second, and changes only with an epoch. */
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

  /** `isFollowed`: another message to the same peer follows at once, and both are sent in one frame. */
  send(name: string, message: PeerMessage, isFollowed = false): void {
    const peer = this.peers.get(name);
    if (this.self.incarnation === 0 || peer?.linked !== true) return;
    // A peer is not sent a topology of a version that it does not speak: it cannot take part before it is upgraded.
    if (neededBy(message) <= peer.protocol) this.out(name, message, isFollowed);
  }

  broadcast(message: PeerMessage): void {
    for (const peer of this.peers.linked()) this.send(peer.name, message);
  }
}
