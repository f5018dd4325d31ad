/** What a node is built of: its settings, and the world behind the ports. */
import type { DiskReserve } from '../core/disk-room.ts';
import type { DoorBook } from '../core/door-book.ts';
import type { Instruments } from '../core/instruments.ts';
import type { Hash32 } from '../core/ring.ts';
import type { Mutations } from '../core/mutations.ts';
import type { Place } from '../core/topology-change.ts';
import type { Clock } from '../ports/clock.ts';
import type { DiskSpace } from '../ports/disk-space.ts';
import type { LegacySource } from '../ports/legacy-source.ts';
import type { ProcessUse } from '../ports/process-use.ts';
import type { Random } from '../ports/random.ts';
import type { Storage } from '../ports/storage.ts';
import type { SystemOfRecord } from '../ports/system-of-record.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import type { PeerHello, Transport } from '../ports/transport.ts';
import type { ConfiguredMember, MembershipSettings } from './membership-parts.ts';
import type { NodeTraces } from './node-traces.ts';
import type { ScrubSettings } from './scrubber.ts';
import type { SlowLogSettings } from './slow-log.ts';
import type { SpoolSettings } from './spool.ts';
import type { PeerRefusal } from './status-parts.ts';

/** Damaged stores that were moved out of the way, for people to look at and to remove. */
export interface SetAside {
  /** Oldest first. */
  readonly paths: readonly string[];
  /** Why the last one was, where this process has done it; else ''. */
  readonly reason: string;
}

export interface NodeParts {
  readonly self: {
    readonly name: string;
    readonly address: string;
    readonly zone: string;
    readonly host: string;
  };
  /** Set where this process is to become a member of a cluster that exists. */
  readonly joins: { readonly weight: number; readonly replaces: string } | null;
  readonly members: readonly ConfiguredMember[];
  readonly membership: MembershipSettings;
  readonly hello: PeerHello;
  readonly cacheBytes: number;
  /** While this node copies slots; 0: as fast as it goes. */
  readonly copyBytesPerSecondMax: number;
  readonly scrub: ScrubSettings;
  /** Milliseconds that an operation may stand in this node's queues before others are refused; 0: as long as it takes. */
  readonly overloadDelayMs: number;
  /** Of free space, where the store lies. */
  readonly diskReserve: DiskReserve;
  /** Key prefixes that are not written to PostgreSQL; the longest that fits decides. */
  readonly writeThrough: readonly { readonly prefix: string; readonly writeThrough: boolean }[];
  /** While PostgreSQL is away. */
  readonly record: SpoolSettings;
  readonly legacyTimeoutMs: number;
  /** Milliseconds that a deletion is kept before it may be forgotten. */
  readonly tombstoneKeepMs: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: Telemetry;
  /** Left out: nothing is timed. */
  readonly instruments?: Instruments;
  readonly slowLog?: SlowLogSettings;
  readonly processUse?: ProcessUse;
  readonly storage: Storage;
  readonly diskSpace: DiskSpace;
  readonly setAside: SetAside;
  readonly transport: Transport;
  /** Left out: nobody listens for them. */
  readonly refusals?: () => readonly PeerRefusal[];
  readonly systemOfRecord: SystemOfRecord | null;
  readonly legacySource: LegacySource | null;
  /** Left out, or null: nothing is traced. */
  readonly traces?: NodeTraces | null;
  /** Where the doors of this process are told, once they are open. */
  readonly doors: DoorBook;
  readonly hash32: Hash32;
  /** How the slots are shared out; left out: as `placeSlots` does, with that hash. */
  readonly place?: Place;
  /**
   * From now on only programs that speak this version of the members' protocol open the data directory; so on disk when
   * this returns.
   */
  readonly raiseDisk: (protocol: number) => void;
  /** This node must not go on: its store failed, or PostgreSQL belongs to a later founding. */
  readonly onFatal: (reason: string) => void;
  /** The cluster goes on without this node for good: nothing is left to do but to stop. */
  readonly onLeft: () => void;
  readonly mutations?: Mutations;
}
