/** What a membership is built from: the node's place in the configuration, its settings, and its surroundings. */
import type { DoorBook } from '../../core/clients/door-book.ts';
import type { PeerMessage } from '../../core/message.ts';
import type { Mutations } from '../../core/mutations.ts';
import type { Phase } from '../../core/membership/phases.ts';
import type { Place } from '../../core/membership/topology-change.ts';
import type { Topology } from '../../core/membership/topology.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Random } from '../../ports/random.ts';
import type { SystemOfRecord } from '../../ports/system-of-record.ts';
import type { Telemetry } from '../../ports/telemetry.ts';
import type { MetaStore, TopologyCodec } from './disk.ts';
import type { OutageWatch } from './outage-watch.ts';

export interface ConfiguredMember {
  readonly name: string;
  readonly address: string;
  readonly weight: number;
}

export interface MembershipSettings {
  readonly replicaCount: number;
  readonly ownerCountMin: number;
  readonly leaseMs: number;
  readonly clockDrift: number;
  readonly healAfterMs: number;
  readonly heartbeatMs: number;
  readonly suspectAfterMs: number;
  readonly linkGraceMs: number;
  readonly splitAfterMs: number;
  /** Milliseconds within which an expected acknowledgement is never slow; 0 turns the detection off. */
  readonly slowAfterMs: number;
  readonly coldStartGraceMs: number;
  /** Milliseconds that a clean stop may take to have the epoch changed. */
  readonly stopTimeoutMs: number;
}

export interface MembershipParts {
  readonly self: {
    readonly name: string;
    readonly address: string;
    readonly zone: string;
    readonly host: string;
  };
  /** Set if this process should join an existing cluster: it never founds one. */
  readonly joins: { readonly weight: number; readonly replaces: string } | null;
  /** All configured members, including this one. Members that the topology names are dialled as well. */
  readonly members: readonly ConfiguredMember[];
  readonly settings: MembershipSettings;
  /** The highest version of the member protocol that this process speaks. */
  readonly protocolMax: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: Telemetry;
  readonly systemOfRecord: SystemOfRecord | null;
  readonly outageWatch: OutageWatch;
  /** The doors of this process, and those of the others. */
  readonly doors: DoorBook;
  readonly meta: MetaStore;
  /** How long this node's store takes, in milliseconds; and a way to try it when that is not known any more. */
  readonly store: { lateMs(): number; isIdle(): boolean };
  /** How many times as long as usual this node's clients wait while slots are copied; 0 if unknown. */
  readonly clientDelayFactor: () => number;
  readonly codec: TopologyCodec;
  readonly place: Place;
  /** `dial` keeps a link to the peer up, at this address from now on; `forget` drops it. */
  readonly dial: (name: string, address: string) => void;
  readonly forget: (name: string) => void;
  /**
   * Frames carry `header()` as it is when they are built. `isFollowed`: another message to the same peer follows at
   * once.
   */
  readonly send: (name: string, message: PeerMessage, isFollowed?: boolean) => void;
  /** Called during the change: the previous epoch's lease is gone, and no frame of the new epoch has been sent. */
  readonly onTopology: (next: Topology, previous: Topology | null) => void;
  readonly onPhase: (phase: Phase) => void;
  /** A client still waits for a write that this node coordinates. */
  readonly coordinates: () => boolean;
  /** This process was a member, and the cluster continues without it for good. */
  readonly onLeft: () => void;
  /** This process must end; the reason is for people. */
  readonly onFatal: (reason: string) => void;
  readonly mutations?: Mutations;
}
