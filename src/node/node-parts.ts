/** What a node is built from: its settings, and the outside world behind ports. */
import type { DiskReserve } from '../core/membership/disk-room.ts';
import type { DoorBook } from '../core/clients/door-book.ts';
import type { Instruments } from '../core/observability/instruments.ts';
import type { Hash32 } from '../core/placement/ring.ts';
import type { Mutations } from '../core/mutations.ts';
import type { Place } from '../core/membership/topology-change.ts';
import type { Clock } from '../ports/clock.ts';
import type { DiskSpace } from '../ports/disk-space.ts';
import type { LegacySource } from '../ports/legacy-source.ts';
import type { ProcessUse } from '../ports/process-use.ts';
import type { Random } from '../ports/random.ts';
import type { Storage } from '../ports/storage.ts';
import type { SystemOfRecord } from '../ports/system-of-record.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import type { PeerHello, Transport } from '../ports/transport.ts';
import type { ConfiguredMember, MembershipSettings } from './membership/parts.ts';
import type { NodeTraces } from './tracing/node-traces.ts';
import type { ScrubSettings } from './scrub/scrubber.ts';
import type { SlowLogSettings } from './slow-log.ts';
import type { SpoolSettings } from './spool/spool.ts';
import type { PeerRefusal } from './status.ts';

/** Damaged stores that were moved aside, for people to inspect and remove. */
export interface SetAside {
  /** Oldest first. */
  readonly paths: readonly string[];
  /** Why the last one was moved aside, if this process did it; otherwise ''. */
  readonly reason: string;
}

export interface NodeParts {
  readonly self: {
    readonly name: string;
    readonly address: string;
    readonly zone: string;
    readonly host: string;
  };
  /** Set if this process should join an existing cluster. */
  readonly joins: { readonly weight: number; readonly replaces: string } | null;
  readonly members: readonly ConfiguredMember[];
  readonly membership: MembershipSettings;
  readonly hello: PeerHello;
  readonly cacheBytes: number;
  /** Bytes per second while this node copies slots; 0 means no limit. */
  readonly copyBytesPerSecondMax: number;
  readonly scrub: ScrubSettings;
  /** Milliseconds that an operation may spend in this node's queues before others are refused; 0 means no limit. */
  readonly overloadDelayMs: number;
  /** Free space to keep on the disk of the store. */
  readonly diskReserve: DiskReserve;
  /** Key prefixes that are or are not written to PostgreSQL; the longest matching one decides. */
  readonly writeThrough: readonly { readonly prefix: string; readonly writeThrough: boolean }[];
  /** What happens while PostgreSQL is away. */
  readonly record: SpoolSettings;
  readonly legacyTimeoutMs: number;
  /** Milliseconds for which a deletion is kept before it may be forgotten. */
  readonly tombstoneKeepMs: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: Telemetry;
  /** Left out if nothing is timed. */
  readonly instruments?: Instruments;
  readonly slowLog?: SlowLogSettings;
  readonly processUse?: ProcessUse;
  readonly storage: Storage;
  readonly diskSpace: DiskSpace;
  readonly setAside: SetAside;
  readonly transport: Transport;
  /** Left out if nobody listens for refusals. */
  readonly refusals?: () => readonly PeerRefusal[];
  readonly systemOfRecord: SystemOfRecord | null;
  readonly legacySource: LegacySource | null;
  /** Left out, or null, if nothing is traced. */
  readonly traces?: NodeTraces | null;
  /** Where this process announces its doors once they are open. */
  readonly doors: DoorBook;
  readonly hash32: Hash32;
  /** How the slots are shared out; if left out, by `placeSlots` with that hash. */
  readonly place?: Place;
  /**
   * From now on only programs that speak this version of the member protocol may open the data directory. Durable when
   * this returns.
   */
  readonly raiseDisk: (protocol: number) => void;
  /** This node must end: its store failed, or PostgreSQL belongs to a later founding. */
  readonly onFatal: (reason: string) => void;
  /** The cluster continues without this node for good: all that is left is to stop. */
  readonly onLeft: () => void;
  readonly mutations?: Mutations;
}
