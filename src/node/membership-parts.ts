/** What a membership is built of: the node's place in the configuration, its settings, and its surroundings. */
import type { DoorBook } from '../core/door-book.ts';
import type { PeerMessage } from '../core/message.ts';
import type { Mutations } from '../core/mutations.ts';
import type { Phase } from '../core/phases.ts';
import type { Place } from '../core/topology-change.ts';
import type { Topology } from '../core/topology.ts';
import type { Clock } from '../ports/clock.ts';
import type { Random } from '../ports/random.ts';
import type { SystemOfRecord } from '../ports/system-of-record.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import type { MetaStore, TopologyCodec } from './membership-disk.ts';
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
  /** Milliseconds of an expected acknowledgement up to which nobody is slow; 0: nobody ever is. */
  readonly slowAfterMs: number;
  readonly coldStartGraceMs: number;
  /** Milliseconds a clean stop may take to have the epoch changed. */
  readonly stopTimeoutMs: number;
}

export interface MembershipParts {
  readonly self: {
    readonly name: string;
    readonly address: string;
    readonly zone: string;
    readonly host: string;
  };
  /** Set where this process is to become a member of a cluster that exists: it never founds one. */
  readonly joins: { readonly weight: number; readonly replaces: string } | null;
  /** All members by configuration, this one among them; whom the topology names is dialled as well. */
  readonly members: readonly ConfiguredMember[];
  readonly settings: MembershipSettings;
  /** The highest version of the members' protocol that this process speaks. */
  readonly protocolMax: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: Telemetry;
  readonly systemOfRecord: SystemOfRecord | null;
  readonly outageWatch: OutageWatch;
  /** Where the doors of this process are, and those of the others. */
  readonly doors: DoorBook;
  readonly meta: MetaStore;
  /** How long this node's store takes, in milliseconds; and to try it where that is not known any more. */
  readonly store: { lateMs(): number; isIdle(): boolean };
  /** Times as long as usual that this node's clients wait while slots are copied; 0: nothing is known. */
  readonly clientDelayFactor: () => number;
  readonly codec: TopologyCodec;
  readonly place: Place;
  /** Keeps a link to the peer up, from now on at this address; lets it go. */
  readonly dial: (name: string, address: string) => void;
  readonly forget: (name: string) => void;
  /** Frames carry `header()` as it is when they are built. `isFollowed`: one more message to the same peer comes at once. */
  readonly send: (name: string, message: PeerMessage, isFollowed?: boolean) => void;
  /** Called within the change: the lease of the epoch before is gone, no frame of the new one was sent. */
  readonly onTopology: (next: Topology, previous: Topology | null) => void;
  readonly onPhase: (phase: Phase) => void;
  /** A client still waits for a write that this node coordinates. */
  readonly coordinates: () => boolean;
  /** This process was a member, and the cluster goes on without it for good. */
  readonly onLeft: () => void;
  /** This process is to end, and for people why. */
  readonly onFatal: (reason: string) => void;
  readonly mutations?: Mutations;
}
