/**
 * How a node forwards operations to other members and receives their answers, and how members watch keys for one
 * another.
 */
import { KeyWatch } from '../../core/clients/key-watch.ts';
import { NO_MUTATIONS } from '../../core/mutations.ts';
import { SINCE } from '../../core/membership/protocol-versions.ts';
import { Forwarder } from './forwarder.ts';
import type { NodeParts } from '../node-parts.ts';
import type { PeerOutbox } from './peer-outbox.ts';

export interface PeerWays {
  readonly forwarder: Forwarder;
  readonly keyWatch: KeyWatch;
}

export function peerWaysOf(
  { random, mutations = NO_MUTATIONS }: NodeParts,
  outbox: PeerOutbox,
  isLinked: (peer: string) => boolean,
): PeerWays {
  // Random, so that answers to an earlier process of this name match nothing here.
  const first = 1 + Math.floor(random.next() * 0xfffffffe);
  const protocolOf = (peer: string): number => outbox.protocolOf(peer);
  const forwarder = new Forwarder((peer, message) => outbox.send(peer, message), isLinked, protocolOf, first);
  const understands = (peer: string): boolean => protocolOf(peer) >= SINCE.watchForPeers;
  const keyWatch = new KeyWatch(mutations, {
    canAsk: (peer) => isLinked(peer) && understands(peer),
    send: (peer, message) => {
      if (understands(peer)) outbox.send(peer, message);
    },
    sessionFirst: first,
  });
  return { forwarder, keyWatch };
}
