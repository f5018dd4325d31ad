/**
 * Which versions of the members' protocol this program speaks, and what came with which. Two members speak the highest
 * version that both know on the link between them; what *all* must understand (a field of the topology, a record on disk,
 * an operation that any owner may have to finish) waits until the cluster has that version in force, by an epoch. Who
 * speaks less is no member from then on. (decision 19)
 *
 * To add something: give it a line in `SINCE`. A field or message that only its reader must know: written where
 * `Writer.protocol`, read where `Reader.protocol` reaches it. Whatever all members must know: begun only where
 * `protocolInForce` has reached it.
 */
import { failure } from './errors.ts';
import type { Failure } from './errors.ts';
import type { Introduction } from './membership-message.ts';
import type { Mutations } from './mutations.ts';
import type { Member, Topology } from './topology.ts';

export const PROTOCOL_MIN = 4;
export const PROTOCOL_MAX = 8;
/** Of who does not say: programs of before there was a choice; and of a topology without the field. */
export const PROTOCOL_UNTOLD = 4;

/** The version that each of these came with. */
export const SINCE = {
  /** An introduction says which version its process speaks. Between two. */
  introducedProtocol: 5,
  /** A topology says which version is in force. All members. */
  protocolInForce: 5,
  /** A modification is handed to an owner, who makes a record of it like any other. Between two. */
  modify: 5,
  /** A learner tells what it holds of a slot, and is sent the rest. Between two. */
  offeredRecords: 5,
  /** A round, or an operation that is handed over, says which trace it belongs to. Between two. */
  traceContext: 5,
  /** An owner tells how many keys its slots have. Between two. */
  keyCount: 5,
  /** Commits look at the floors that PostgreSQL keeps, so that rows of deletions may go. All members. */
  rowFloors: 5,
  /** An introduction says where the doors of its process are. Between two. */
  introducedDoors: 6,
  /** An owner watches keys on behalf of a node that does not own them. Between two. */
  watchForPeers: 6,
  /** A member asks the voters before it is stopped. Between two. */
  stopReservation: 6,
  /** A page that is asked of an owner says which trace it belongs to. Between two. */
  scanTraceContext: 6,
  /** A member says how its clients fare while slots are copied. Between two. */
  clientDelay: 6,
  /** A record may have a content type. All members; an operation that is handed over says it between two. */
  contentType: 6,
  /** Who handed a write over is told whether others are in its version, and who hears of all changes is told of which. Between two. */
  ownChanges: 7,
  /** Owners come past a floor also while others copy the slot: conditional writes wait for it. All members. */
  agreedFloors: 8,
} as const;

/** A side of a link, by its own word. */
export interface SpokenRange {
  readonly protocolMin: number;
  readonly protocolMax: number;
}

/** The version that two speak with each other; null where they have none in common. */
export function agreedProtocol(one: SpokenRange, other: SpokenRange): number | null {
  const highest = Math.min(one.protocolMax, other.protocolMax);
  return highest < Math.max(one.protocolMin, other.protocolMin) ? null : highest;
}

/** What every member of this epoch understands, and everybody who is to become one must. */
export function protocolInForce({ protocol }: Topology): number {
  return protocol ?? PROTOCOL_UNTOLD;
}

/** Definite: what is asked for cannot be said to this peer. */
export function refusalOfPeer(peer: string, protocol: number, since: number): Failure {
  const words = `${peer}, which has to do this, speaks version ${protocol} of the members' protocol and not ${since}: upgrade it`;
  return failure('upgrade_unfinished', words);
}

/** May a process that speaks up to this version be a member? */
export function speaksEnough(topology: Topology, protocolMax: number): boolean {
  return protocolMax >= protocolInForce(topology);
}

/** Up to which version a member's very process speaks; 0 where nobody can tell: it is away, or another one by now. */
export type SpokenBy = (member: Member) => number;

/** By what processes say about themselves: only who is part of the epoch speaks for its member. */
export function spokenBy(own: Introduction, introductions: ReadonlyMap<string, Introduction>): SpokenBy {
  return ({ name, alive, incarnation }) => {
    const said = name === own.name ? own : introductions.get(name);
    const isMember = alive && said?.state === 'serving' && said.incarnation === incarnation;
    return isMember ? said.protocol : 0;
  };
}

/** The highest version that all members are known to speak, where it is higher than the one in force. */
export function raiseProtocol(topology: Topology, spoken: SpokenBy, mutations: Mutations): Topology | null {
  const told = topology.members.map(spoken);
  const protocol = mutations.raiseUnheard === true ? Math.max(...told) : Math.min(...told);
  if (protocol <= protocolInForce(topology)) return null;
  return { ...topology, epoch: topology.epoch + 1, protocol };
}

/** Why a version cannot be put in force now, naming who is in its way; null: it can, or is. */
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
