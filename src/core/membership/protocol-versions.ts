/**
 * Which versions of the member protocol this program speaks, and what each version introduced. Two members use the
 * highest version that both know on the link between them. Whatever *all* members must understand (a field of the
 * topology, a record on disk, an operation that any owner may have to finish) waits until an epoch puts that version in
 * force in the cluster; from then on, a process that speaks less cannot be a member. (decision 19)
 *
 * To add something, give it a line in `SINCE`. A field or message that only its reader must know is written where
 * `Writer.protocol`, and read where `Reader.protocol`, has reached it. Something that all members must know is used
 * only where `protocolInForce` has reached it.
 */
import { failure } from '../errors.ts';
import type { Failure } from '../errors.ts';
import type { Introduction } from './membership-message.ts';
import type { Mutations } from '../mutations.ts';
import type { Member, Topology } from './topology.ts';

export const PROTOCOL_MIN = 4;
export const PROTOCOL_MAX = 8;
/**
 * The version of a process that does not tell one (programs from before there was a choice), and of a topology without
 * the field.
 */
export const PROTOCOL_UNTOLD = 4;

/**
 * The version that introduced each of these. "Per link": two members need to know it; "all members": it waits until the
 * version is in force.
 */
export const SINCE = {
  /** An introduction tells which version its process speaks. Per link. */
  introducedProtocol: 5,
  /** A topology tells which version is in force. All members. */
  protocolInForce: 5,
  /** A modification is forwarded to an owner, which makes a record of it like any other. Per link. */
  modify: 5,
  /** A learner tells what it holds of a slot, and is sent the rest. Per link. */
  offeredRecords: 5,
  /** A round, or a forwarded operation, tells which trace it belongs to. Per link. */
  traceContext: 5,
  /** An owner tells how many keys its slots have. Per link. */
  keyCount: 5,
  /** Commits check the floors that PostgreSQL keeps, so that rows of deletions may be removed. All members. */
  rowFloors: 5,
  /** An introduction tells where the doors of its process are. Per link. */
  introducedDoors: 6,
  /** An owner watches keys on behalf of a node that does not own them. Per link. */
  watchForPeers: 6,
  /** A member asks the voters before it is stopped. Per link. */
  stopReservation: 6,
  /** A request for a page tells which trace it belongs to. Per link. */
  scanTraceContext: 6,
  /** A member tells how its clients fare while slots are copied. Per link. */
  clientDelay: 6,
  /** A record may have a content type. All members; in a forwarded operation, per link. */
  contentType: 6,
  /**
   * A forwarder is told whether a version contains other writes; a node that hears of all changes is told which
   * version. Per link.
   */
  ownChanges: 7,
  /** Owners pass a floor even while others copy the slot, so that conditional writes can wait for it. All members. */
  agreedFloors: 8,
} as const;

/** The versions that one side of a link says it speaks. */
export interface SpokenRange {
  readonly protocolMin: number;
  readonly protocolMax: number;
}

/** The version that two sides use with each other; null if they have none in common. */
export function agreedProtocol(one: SpokenRange, other: SpokenRange): number | null {
  const highest = Math.min(one.protocolMax, other.protocolMax);
  return highest < Math.max(one.protocolMin, other.protocolMin) ? null : highest;
}

/** What every member of this epoch understands, and every joining process must. */
export function protocolInForce({ protocol }: Topology): number {
  return protocol ?? PROTOCOL_UNTOLD;
}

/** A definite failure: this request cannot be expressed to this peer. */
export function refusalOfPeer(peer: string, protocol: number, since: number): Failure {
  const words = `${peer}, which has to do this, speaks version ${protocol} of the members' protocol and not ${since}: upgrade it`;
  return failure('upgrade_unfinished', words);
}

/** True if a process that speaks up to this version may be a member. */
export function speaksEnough(topology: Topology, protocolMax: number): boolean {
  return protocolMax >= protocolInForce(topology);
}

/**
 * The highest version that a member's current process speaks; 0 if unknown, because it is away or was replaced by
 * another process.
 */
export type SpokenBy = (member: Member) => number;

/** From what processes say about themselves. Only a process that is part of the epoch speaks for its member. */
export function spokenBy(own: Introduction, introductions: ReadonlyMap<string, Introduction>): SpokenBy {
  return ({ name, alive, incarnation }) => {
    const said = name === own.name ? own : introductions.get(name);
    const isMember = alive && said?.state === 'serving' && said.incarnation === incarnation;
    return isMember ? said.protocol : 0;
  };
}

/**
 * Puts the highest version that all members are known to speak in force; null if that is no higher than the current
 * one.
 */
export function raiseProtocol(topology: Topology, spoken: SpokenBy, mutations: Mutations): Topology | null {
  const told = topology.members.map(spoken);
  const protocol = mutations.raiseUnheard === true ? Math.max(...told) : Math.min(...told);
  if (protocol <= protocolInForce(topology)) return null;
  return { ...topology, epoch: topology.epoch + 1, protocol };
}

/** Why a version cannot be put in force now, naming the members in its way; null if it can be, or already is. */
export function whyNotRaise(topology: Topology, protocol: number, spoken: SpokenBy): string | null {
  if (protocolInForce(topology) >= protocol) return null;
  const reasons: string[] = [];
  for (const member of topology.members) {
    const known = spoken(member);
    if (known === 0)
      reasons.push(`${member.name} is away: start it with this version, or let it leave for good`);
    else if (known < protocol) reasons.push(`${member.name} speaks version ${known} at most: upgrade it`);
  }
  return reasons.length === 0 ? null : reasons.join('; ');
}
