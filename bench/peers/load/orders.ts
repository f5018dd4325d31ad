/** The messages between the benchmark and its load generator: what to do, and the results. */
import type { Spread } from './key-choice.ts';

/**
 * How the Redis protocol is spoken: over bare sockets, one for each lane and node; or by one program with `ioredis`,
 * with one connection to each node of the cluster, or to one node only. Other protocols have a single way.
 */
export type Through = 'sockets' | 'program' | 'plain-program';

interface Work {
  readonly valueBytes: number;
  readonly keyCount: number;
  readonly spread: Spread;
  /** 1 means only reads. */
  readonly readShare: number;
  readonly forMs: number;
}

export type LoadOrder =
  /** Each key once. */
  | {
      readonly kind: 'fill';
      readonly valueBytes: number;
      readonly keyCount: number;
      readonly lanes: number;
    }
  /** Each lane sends this many at once, and the next ones when all of them are answered. */
  | ({
      readonly kind: 'closed';
      readonly lanes: number;
      readonly pipeline: number;
      readonly through: Through;
    } & Work)
  /** At this rate, whatever is answered: latency counts from the moment at which an operation was due. */
  | ({ readonly kind: 'open'; readonly lanes: number; readonly perSecond: number } & Work);

export interface LoadAnswer {
  /** Answered as expected. */
  readonly count: number;
  readonly failed: number;
  /** The first unexpected answer; '' if there was none. */
  readonly fault: string;
  /** Operations per second. */
  readonly rate: number;
  readonly ms: number;
  /** CPU time of the generator's process. */
  readonly cpuMs: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  /** For `open`: the 99th percentile of how late the generator itself was to send. */
  readonly lateMs: number;
}
