/** A node's recent activity in a few numbers, for screens that show them as they are. Times are milliseconds. */
import type { Quantiles } from '../../base/histogram.ts';

export interface RecentActivity {
  /** The time that rates and quantiles cover; 0 in the first second of a process. */
  readonly windowMs: number;
  /** Operations of this node's own clients; `forwardedHere`: those forwarded here by other nodes. */
  readonly perSecond: {
    readonly reads: number;
    readonly writes: number;
    readonly failures: number;
    readonly staleReads: number;
    readonly refused: number;
    readonly forwardedHere: number;
  };
  /** Client operations from arrival to answer; null if there were none. Reads from memory count as the lowest value. */
  readonly readMs: Quantiles | null;
  readonly writeMs: Quantiles | null;
  /** Where clients' writes spent their time. */
  readonly stagesMs: Readonly<Record<WriteStage, Quantiles | null>>;
  readonly record: {
    /** Time of one statement. */
    readonly commitMs: Quantiles | null;
    readonly rowsPerSecond: number;
    readonly rowsWaiting: number;
    /** 0 if nothing waits. */
    readonly oldestUnflushedMs: number;
    /** Why rows that were sent still wait, for people; '' if none of them was refused. */
    readonly whyWaiting: string;
  };
  readonly store: {
    /** Time of one synced batch. */
    readonly syncMs: Quantiles | null;
    readonly batchesPerSecond: number;
    readonly entriesPerSecond: number;
    /** Fraction of reads that found their record in memory, 0..1; null if there were none. */
    readonly cacheHitShare: number | null;
  };
  /** All 0 if there is no legacy source. */
  readonly legacy: {
    readonly callsPerSecond: number;
    readonly failuresPerSecond: number;
    readonly coalescedPerSecond: number;
    readonly inFlight: number;
    readonly waiting: number;
    /** Calls that may be in flight at once. */
    readonly concurrencyMax: number;
    /** Calls that may be repeated now. */
    readonly retriesLeft: number;
  };
  /** How late the node's own ticks were. */
  readonly eventLoopDelayMs: Quantiles | null;
  /** Memory of this process; all 0 if it is not measured. */
  readonly memory: MemoryUse;
  /** Fraction of one processor; 0 if it is not measured. */
  readonly cpuShare: number;
  readonly uptimeMs: number;
}

/**
 * The stages of a write.
 * - door: until the node starts on it.
 * - queue: until its key's turn comes.
 * - store: until it is on this node's disk.
 * - peers: until all owners have it.
 * - record: until PostgreSQL has it.
 * - forwarded: the time at the owner that it was forwarded to.
 */
export const WRITE_STAGES = ['door', 'queue', 'store', 'peers', 'record', 'forwarded'] as const;
export type WriteStage = (typeof WRITE_STAGES)[number];

export interface MemoryUse {
  readonly residentBytes: number;
  readonly heapUsedBytes: number;
  readonly heapLimitBytes: number;
  readonly externalBytes: number;
}

export const NO_MEMORY_USE: MemoryUse = {
  ...{ residentBytes: 0, heapUsedBytes: 0, heapLimitBytes: 0, externalBytes: 0 },
};

export const NO_ACTIVITY: RecentActivity = {
  windowMs: 0,
  perSecond: { reads: 0, writes: 0, failures: 0, staleReads: 0, refused: 0, forwardedHere: 0 },
  readMs: null,
  writeMs: null,
  stagesMs: { door: null, queue: null, store: null, peers: null, record: null, forwarded: null },
  record: { commitMs: null, rowsPerSecond: 0, rowsWaiting: 0, oldestUnflushedMs: 0, whyWaiting: '' },
  store: { syncMs: null, batchesPerSecond: 0, entriesPerSecond: 0, cacheHitShare: null },
  legacy: {
    ...{ callsPerSecond: 0, failuresPerSecond: 0, coalescedPerSecond: 0, inFlight: 0, waiting: 0 },
    ...{ concurrencyMax: 0, retriesLeft: 0 },
  },
  eventLoopDelayMs: null,
  memory: NO_MEMORY_USE,
  cpuShare: 0,
  uptimeMs: 0,
};
