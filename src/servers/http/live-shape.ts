/**
 * The messages that the page in the browser gets once a second: the node that was asked, what it knows of the cluster,
 * and what each member reports about itself. They contain no keys and no values.
 */
import type { Quantiles } from '../../base/histogram.ts';
import type { HolderState, RingMap } from '../../core/placement/ring-map.ts';
import type { NodeStatus } from '../../node/status.ts';

export interface LiveSnapshot {
  /** Milliseconds since 1970, by the clock of the asked node. */
  readonly at: number;
  /** Name of the asked node. */
  readonly asked: string;
  /** Null while the node belongs to no cluster yet. */
  readonly cluster: LiveCluster | null;
  /** In the order of ids. A node that belongs to no cluster yet lists only itself. */
  readonly nodes: readonly LiveNode[];
}

export interface LiveCluster {
  readonly name: string;
  readonly id: string;
  readonly epoch: number;
  readonly life: number;
  readonly slotsMoving: number;
  /** Slots without a living complete owner. */
  readonly slotsLost: number;
  /** Number of all members; `nodes` has only the first of them if there are too many. */
  readonly memberCount: number;
  /** How many key prefixes are not written through to PostgreSQL. */
  readonly notWrittenThrough: number;
}

/** A member as the asked node sees it, and what the member reports about itself. */
export interface LiveNode {
  readonly name: string;
  readonly id: number;
  readonly address: string;
  /** Whether the epoch counts it as alive. */
  readonly alive: boolean;
  readonly standing: NodeStatus['members'][number]['standing'];
  readonly linkUp: boolean;
  readonly slow: string;
  readonly slotsComplete: number;
  readonly slotsLearning: number;
  /** Null if the member did not answer. */
  readonly told: LiveFacts | null;
}

export interface LiveFacts {
  readonly phase: NodeStatus['phase'];
  readonly epoch: number;
  readonly leaseHeld: boolean;
  readonly leaseLeftMs: number;
  /** Why the node should get no requests; empty if it is ready. */
  readonly reasons: readonly string[];
  readonly load: NodeStatus['load'];
  readonly disk: NodeStatus['disk'];
  readonly record: {
    readonly state: NodeStatus['record']['state'];
    readonly reason: string;
    readonly isForeign: boolean;
    /** Progress of the comparison with PostgreSQL after a failover; null if there is none under way. */
    readonly drive: { readonly slotsDone: number; readonly slotsTotal: number } | null;
    readonly commitMs: LiveQuantiles | null;
    readonly rowsPerSecond: number | null;
    readonly oldestUnflushedMs: number | null;
  };
  readonly legacy: NodeStatus['legacy'] & {
    readonly failuresPerSecond: number | null;
    readonly inFlight: number | null;
  };
  readonly spool: NodeStatus['spool'];
  readonly keysHeld: number;
  readonly keysInFlight: number;
  readonly oldestUnfinishedMs: number;
  /** The share of its slots that a learner has copied, 0 to 1. */
  readonly learnedShare: number;
  readonly copy: Pick<NodeStatus['copy'], 'slotsDone' | 'slotsTotal' | 'bytesPerSecond' | 'secondsLeft'>;
  readonly scrub: Pick<NodeStatus['scrub'], 'isUnderWay' | 'share' | 'secondsLeft' | 'open'> & {
    readonly unrepaired: number;
    readonly conflicts: number;
  };
  /** Measured since the previous look; null if there was none, or if the process has restarted since. */
  readonly rates: LiveRates | null;
  /** Over the last few seconds; null if there were no operations, or if the member does not measure this. */
  readonly readMs: LiveQuantiles | null;
  readonly writeMs: LiveQuantiles | null;
}

/** In milliseconds. */
export type LiveQuantiles = Quantiles;

/** Operations per second that clients asked of this particular node, and its own calls to legacy. */
export interface LiveRates {
  readonly reads: number;
  readonly writes: number;
  readonly failures: number;
  readonly staleReads: number;
  readonly legacyCalls: number;
}

/** The answer of `/v1/live/ring`: the slots are base64 of 16-bit numbers, little endian. */
export type LiveRing = Omit<RingMap, 'slotRow'> & { readonly slotRow: string };

export type LiveHolderState = HolderState;
