/** Builds a node's membership, and says how it speaks to its peers. */
import { HEARTBEAT_MS } from '../../core/limits.ts';
import { PROTOCOL_MAX, protocolInForce } from '../../core/membership/protocol-versions.ts';
import { placeSlots, placing, rowsOf } from '../../core/placement/slot-table.ts';
import type { OwnersOfSlot, PlacementInput } from '../../core/placement/slot-table.ts';
import type { Place } from '../../core/membership/topology-change.ts';
import type { Member, Topology } from '../../core/membership/topology.ts';
import type { PeerHello } from '../../ports/transport.ts';
import { metaKey } from '../../wire/store-codec.ts';
import { decodeTopology, encodeTopology } from '../../wire/topology-codec.ts';
import type { LoadWatch } from '../load-watch.ts';
import { reportFixedSettings } from '../membership/fixed-settings.ts';
import { Membership } from '../membership/membership.ts';
import type { OutageWatch } from '../membership/outage-watch.ts';
import type { NodeParts } from '../node-parts.ts';
import type { PeerOutbox } from '../peers/peer-outbox.ts';
import type { StoreWriter } from '../store/store-writer.ts';
import { chooseServer } from '../system-of-record/choose-server.ts';

export interface MembershipSurroundings {
  readonly writer: StoreWriter;
  readonly outbox: PeerOutbox;
  readonly outageWatch: OutageWatch;
  readonly loadWatch: LoadWatch;
  readonly onTopology: (next: Topology, previous: Topology | null) => void;
  readonly coordinates: () => boolean;
}

export function membershipOf(
  parts: NodeParts,
  { writer, outbox, outageWatch, loadWatch, onTopology, coordinates }: MembershipSurroundings,
): Membership {
  const { clock, random, telemetry, self, members, systemOfRecord, joins, transport, doors } = parts;
  const membership = new Membership({
    ...{ self, joins, members, clock, random, telemetry, systemOfRecord, outageWatch, doors },
    protocolMax: parts.hello.protocolMax,
    settings: { ...parts.membership, heartbeatMs: parts.membership.heartbeatMs || HEARTBEAT_MS },
    meta: {
      load: (name) => writer.get(metaKey(name)),
      persist: (name, bytes, done) => writer.putMeta(name, bytes, done),
      raise: (protocol) => parts.raiseDisk(protocol),
    },
    store: {
      lateMs: () => writer.pulse.lateMs(clock.now()),
      isIdle: () => writer.pulse.isIdle(clock.now()),
    },
    codec: { encode: encodeTopology, decode: decodeTopology },
    place: placeOf(parts),
    dial: (name, address) => transport.dial(name, address),
    forget: (name) => transport.forget(name),
    send: (name, message, isFollowed) => outbox.sendNow(name, message, isFollowed),
    onTopology: (next, previous) => {
      const stays = previous !== null && parts.mutations?.keepFormerServer === true;
      if (!stays) chooseServer(parts, next);
      onTopology(next, previous);
    },
    ...{ coordinates, clientDelayFactor: () => loadWatch.clientDelayFactor },
    onLeft: () => parts.onLeft(),
    onFatal: (reason) => parts.onFatal(reason),
    onPhase: (phase) => telemetry.event('info', 'node.phase', { phase }),
    ...(parts.mutations === undefined ? {} : { mutations: parts.mutations }),
  });
  if (membership.topology !== null) {
    chooseServer(parts, membership.topology);
    reportFixedSettings(telemetry, parts.membership, membership.topology);
  }
  return membership;
}

/** How the slots of this cluster are shared out. */
export function placeOf({ hash32, place, membership: { replicaCount } }: NodeParts): Place {
  if (place !== undefined) return place;
  const inputOf = (members: readonly Member[], previous: OwnersOfSlot | null): PlacementInput => ({
    ...{ members, replicaCount, previous, hash32 },
  });
  return Object.assign((...of: Parameters<Place>) => rowsOf(placeSlots(inputOf(...of))), {
    *inPieces(...of: Parameters<Place>) {
      return rowsOf(yield* placing(inputOf(...of)));
    },
  });
}

/** A peer that speaks only versions below the one in force is refused in the handshake. (decision 19) */
export function helloOf({ hello }: NodeParts, membership: Membership): PeerHello {
  return {
    ...hello,
    get protocolMin() {
      const { topology } = membership;
      return topology === null ? hello.protocolMin : Math.max(hello.protocolMin, protocolInForce(topology));
    },
  };
}

/** The protocol version in which the peer is written to: that of its link, reported where it is an earlier one. */
export function protocolTo({ hello, telemetry, mutations }: NodeParts, peer: string, linked: number): number {
  if (linked < hello.protocolMax) telemetry.event('info', 'peer.earlier', { peer, protocol: linked });
  return mutations?.ignoreLinkProtocol === true ? PROTOCOL_MAX : linked;
}
