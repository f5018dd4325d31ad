/**
 * What members say about membership: votes for the topology's register, heartbeats and leases, and who a process is.
 * (DESIGN 3, PROTOCOL R14, R27-R31)
 */
import type { Room } from './disk-room.ts';
import type { DoorAddresses } from './door-address.ts';
import type { RecordHearsay } from './spool-message.ts';
import type { Topology } from './topology.ts';

/** Ballots order attempts to change the register: (number, proposer's name), both compared. */
export interface Ballot {
  readonly number: number;
  readonly proposer: string;
}

/** CASPaxos over the topology register, among the council. (R29) */
export interface Prepare {
  readonly kind: 'prepare';
  readonly attempt: number;
  readonly ballot: Ballot;
}

export interface Promise_ {
  readonly kind: 'promise';
  readonly attempt: number;
  readonly granted: boolean;
  /** The highest ballot promised or accepted here, so that a refused proposer jumps ahead. */
  readonly seen: Ballot;
  readonly accepted: { readonly ballot: Ballot; readonly topology: Topology } | null;
  /** This voter's disk is blank or doubtful: it has no vote. */
  readonly abstains: boolean;
}

export interface Accept {
  readonly kind: 'accept';
  readonly attempt: number;
  readonly ballot: Ballot;
  readonly topology: Topology;
}

export interface Accepted {
  readonly kind: 'accepted';
  readonly attempt: number;
  readonly granted: boolean;
  readonly seen: Ballot;
}

/** A topology known to be chosen. */
export interface TopologyNews {
  readonly kind: 'topology';
  readonly topology: Topology;
}

/** Asks for a lease from a council member, and tells what this node sees. (R14, R31) */
export interface Heartbeat {
  readonly kind: 'heartbeat';
  /** The sender's monotonic clock at sending; comes back unchanged. */
  readonly sentAt: number;
  /** The sender's wall clock, for the warning about skew only. */
  readonly wallAt: number;
  /** Names of members that the sender hears nothing of. */
  readonly suspects: readonly string[];
}

export interface HeartbeatAnswer {
  readonly kind: 'heartbeatAnswer';
  readonly sentAt: number;
  /** Whether the lease is granted for the frame's epoch to the frame's incarnation. */
  readonly granted: boolean;
  /** The highest epoch this voter has accepted. */
  readonly acceptedEpoch: number;
  /** Monotonic now of the answerer is not comparable; wall clock for the skew warning. */
  readonly wallAt: number;
}

/** "I give up my lease and leave": no waiting out is owed to this incarnation. (R18) */
export interface LeaseReleased {
  readonly kind: 'leaseReleased';
}

/** How late the sender's store is, which peers it finds slow, and how its clients fare: said while there is anything to say. (R31, R32) */
export interface Strain {
  readonly kind: 'strain';
  /** Milliseconds that its store takes for a batch, of late. */
  readonly storeMs: number;
  readonly slow: readonly string[];
  /** Times as long as usual that its clients wait while slots are copied; 0: nothing is to be said of it. */
  readonly clientDelayFactor: number;
}

/** Who a process is before it is part of an epoch: blank and returning nodes introduce themselves. */
export interface Introduction {
  readonly kind: 'introduction';
  readonly name: string;
  readonly address: string;
  readonly zone: string;
  readonly host: string;
  /** 0: a blank directory. */
  readonly incarnation: number;
  /** Member id on disk, 0 where blank. */
  readonly id: number;
  readonly clusterId: string;
  readonly life: number;
  /** blank: an empty directory. entering: has data, is not part of the epoch under this incarnation. serving: is. */
  readonly state: 'blank' | 'entering' | 'serving';
  /** The highest epoch this process knows to be chosen. */
  readonly epoch: number;
  /** Its share of the slots, beside the others' weights. */
  readonly weight: number;
  /** It is no member and asks to become one. */
  readonly joins: boolean;
  /** With that: the name of a lost member whose place it takes; '': none. */
  readonly replaces: string;
  /** What a blank process takes for the members of a founding; '' at any other. */
  readonly founders: string;
  /** Of the disk that its store is on. (R32) */
  readonly room: Room;
  /** The highest version of the members' protocol that it speaks. (protocol-versions.ts) */
  readonly protocol: number;
  /** Where clients reach its doors, beside that of gRPC. */
  readonly doors: DoorAddresses;
}

/** "Those who were left began another life of our cluster": for who is of a life before it. */
export interface Succession {
  readonly kind: 'succession';
  /** All lives that this one follows, the first one first. */
  readonly ancestors: readonly LifeName[];
  readonly topology: Topology;
}

/** Which cluster, and which of its lives. */
export interface LifeName {
  readonly clusterId: string;
  readonly life: number;
}

/** "I have nothing left to finish in the slots that I give up in this epoch." */
export interface Retired {
  readonly kind: 'retired';
}

/** "PostgreSQL has all that I am the first owner of in this epoch." (R30) */
export interface Driven {
  readonly kind: 'driven';
  readonly drive: number;
}

export type MembershipMessage =
  | Prepare
  | Promise_
  | Accept
  | Accepted
  | TopologyNews
  | Heartbeat
  | HeartbeatAnswer
  | LeaseReleased
  | Strain
  | Introduction
  | RecordHearsay
  | Retired
  | Driven
  | Succession;
