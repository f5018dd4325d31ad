/**
 * What members say about membership: votes for the topology's register, heartbeats and leases, and who a process is.
 * (DESIGN 3, PROTOCOL R14, R27-R31)
 */
import type { Room } from './disk-room.ts';
import type { DoorAddresses } from '../clients/door-address.ts';
import type { RecordHearsay } from '../system-of-record/spool-message.ts';
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
  /** This voter's disk is blank or doubtful, so it has no vote. */
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

/** Asks a council member for a lease, and reports what this node sees. (R14, R31) */
export interface Heartbeat {
  readonly kind: 'heartbeat';
  /** The sender's monotonic clock at the time of sending, returned unchanged. */
  readonly sentAt: number;
  /** The sender's wall clock, for the warning about skew only. */
  readonly wallAt: number;
  /** Names of members that the sender does not hear. */
  readonly suspects: readonly string[];
}

export interface HeartbeatAnswer {
  readonly kind: 'heartbeatAnswer';
  readonly sentAt: number;
  /** Whether the lease is granted for the frame's epoch to the frame's incarnation. */
  readonly granted: boolean;
  /** The highest epoch this voter has accepted. */
  readonly acceptedEpoch: number;
  /** The answerer's wall clock, for the skew warning. (Its monotonic clock could not be compared.) */
  readonly wallAt: number;
}

/** "I give up my lease and leave": nobody has to wait out this incarnation. (R18) */
export interface LeaseReleased {
  readonly kind: 'leaseReleased';
}

/**
 * How slow the sender's store is, which peers it finds slow, and how its clients fare. Sent only while there is
 * something to report. (R31, R32)
 */
export interface Strain {
  readonly kind: 'strain';
  /** Milliseconds that its store has recently taken for a batch. */
  readonly storeMs: number;
  readonly slow: readonly string[];
  /** How many times as long as usual its clients wait while slots are copied; 0 if there is nothing to report. */
  readonly clientDelayFactor: number;
}

/** Identifies a process before it is part of an epoch: blank and returning nodes introduce themselves. */
export interface Introduction {
  readonly kind: 'introduction';
  readonly name: string;
  readonly address: string;
  readonly zone: string;
  readonly host: string;
  /** 0 for a blank directory. */
  readonly incarnation: number;
  /** The member id on disk; 0 if the disk is blank. */
  readonly id: number;
  readonly clusterId: string;
  readonly life: number;
  /**
   * - blank: an empty directory.
   * - entering: has data, but is not part of the epoch under this incarnation.
   * - serving: is part of the epoch.
   */
  readonly state: 'blank' | 'entering' | 'serving';
  /** The highest epoch this process knows to be chosen. */
  readonly epoch: number;
  /** Its weight when slots are shared out. */
  readonly weight: number;
  /** It is not a member and asks to become one. */
  readonly joins: boolean;
  /** For a joining process: the name of the lost member whose place it takes; '' if none. */
  readonly replaces: string;
  /** The founding members as a blank process sees them; '' for any other process. */
  readonly founders: string;
  /** Room on the disk that holds its store. (R32) */
  readonly room: Room;
  /** The highest version of the member protocol that it speaks. (protocol-versions.ts) */
  readonly protocol: number;
  /** Where clients reach its doors other than gRPC. */
  readonly doors: DoorAddresses;
}

/** "The remaining members began another life of our cluster": for a process from an earlier life. */
export interface Succession {
  readonly kind: 'succession';
  /** All lives that this one descends from, the first one first. */
  readonly ancestors: readonly LifeName[];
  readonly topology: Topology;
}

/** Identifies a cluster and one of its lives. */
export interface LifeName {
  readonly clusterId: string;
  readonly life: number;
}

/** "I have nothing left to finish in the slots that I give up in this epoch." */
export interface Retired {
  readonly kind: 'retired';
}

/** "PostgreSQL has everything of the slots whose first owner I am in this epoch." (R30) */
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
