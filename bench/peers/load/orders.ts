/** What a generator of load is told to do, and what it answers: the words between the benchmark and its process. */
import type { Spread } from './key-choice.ts';

/**
 * What stands before Redis' protocol: bare sockets, one for each lane and node; or one program with `ioredis`, with one connection to
 * each node of the cluster, or to one node alone. Other protocols have one way only.
 */
export type Through = 'sockets' | 'program' | 'plain-program';

interface Work {
  readonly valueBytes: number;
  readonly keyCount: number;
  readonly spread: Spread;
  /** 1: nothing but reads. */
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
  /** Each lane sends so many at once, and the next when all of them are answered. */
  | ({
      readonly kind: 'closed';
      readonly lanes: number;
      readonly pipeline: number;
      readonly through: Through;
    } & Work)
  /** At this rate, whatever is answered: a time counts from the moment at which an operation was due. */
  | ({ readonly kind: 'open'; readonly lanes: number; readonly perSecond: number } & Work);

export interface LoadAnswer {
  /** Answered as asked. */
  readonly count: number;
  readonly failed: number;
  /** The first of what was answered instead; '' for none. */
  readonly fault: string;
  /** Operations per second. */
  readonly rate: number;
  readonly ms: number;
  /** Of the generator's process, on a core. */
  readonly cpuMs: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  /** open: how late the generator itself was to send, 99 of 100. */
  readonly lateMs: number;
}
