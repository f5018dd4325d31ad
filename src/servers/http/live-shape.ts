/**
 * What the page in the browser is told, once a second: the node that was asked, what it knows of the cluster, and
 * what each member says of itself. No key and no value is in it.
 */
import type { Quantiles } from '../../base/histogram.ts';
import type { HolderState, RingMap } from '../../core/ring-map.ts';
import type { NodeStatus } from '../../node/api.ts';

export interface LiveSnapshot {
  /** Milliseconds since 1970, by the clock of the asked node. */
  readonly at: number;
  /** Name of the asked node. */
  readonly asked: string;
  /** null: it is in no cluster yet. */
  readonly cluster: LiveCluster | null;
  /** In the order of ids; of a node that is in no cluster yet: itself. */
  readonly nodes: readonly LiveNode[];
}

export interface LiveCluster {
  readonly name: string;
  readonly id: string;
  readonly epoch: number;
  readonly life: number;
  readonly slotsMoving: number;
  /** Of which no complete owner lives. */
  readonly slotsLost: number;
  /** `nodes` has the first of them, where there are too many. */
  readonly memberCount: number;
  /** Prefixes of keys that are not written to PostgreSQL. */
  readonly notWrittenThrough: number;
}

/** A member as the asked node sees it, and what it says of itself. */
export interface LiveNode {
  readonly name: string;
  readonly id: number;
  readonly address: string;
  /** Part of the epoch. */
  readonly alive: boolean;
  readonly standing: NodeStatus['members'][number]['standing'];
  readonly linkUp: boolean;
  readonly slow: string;
  readonly slotsComplete: number;
  readonly slotsLearning: number;
  /** null: it has not answered. */
  readonly told: LiveFacts | null;
}

export interface LiveFacts {
  readonly phase: NodeStatus['phase'];
  readonly epoch: number;
  readonly leaseHeld: boolean;
  readonly leaseLeftMs: number;
  /** Why it should not be sent requests; empty where it is ready. */
  readonly reasons: readonly string[];
  readonly load: NodeStatus['load'];
  readonly disk: NodeStatus['disk'];
  readonly record: {
    readonly state: NodeStatus['record']['state'];
    readonly reason: string;
    readonly isForeign: boolean;
    /** What it compares with PostgreSQL after a failover; null: nothing. */
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
  /** Share of its slots that a learner has, 0..1. */
  readonly learnedShare: number;
  readonly copy: Pick<NodeStatus['copy'], 'slotsDone' | 'slotsTotal' | 'bytesPerSecond' | 'secondsLeft'>;
  readonly scrub: Pick<NodeStatus['scrub'], 'isUnderWay' | 'share' | 'secondsLeft' | 'open'> & {
    readonly unrepaired: number;
    readonly conflicts: number;
  };
  /** Since the look before; null: there was none, or the process began anew. */
  readonly rates: LiveRates | null;
  /** Of the last seconds; null: nothing was asked, or it does not measure it. */
  readonly readMs: LiveQuantiles | null;
  readonly writeMs: LiveQuantiles | null;
}

/** Milliseconds. */
export type LiveQuantiles = Quantiles;

/** Operations a second that clients asked of this very node, and calls to legacy that it made. */
export interface LiveRates {
  readonly reads: number;
  readonly writes: number;
  readonly failures: number;
  readonly staleReads: number;
  readonly legacyCalls: number;
}

/** The answer of `/v1/live/ring`: the slots are base64 of 16-bit numbers, the low byte first. */
export type LiveRing = Omit<RingMap, 'slotRow'> & { readonly slotRow: string };

export type LiveHolderState = HolderState;
