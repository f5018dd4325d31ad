/** What the read and write flows use of their node, and nothing more. */
import { failure } from '../core/errors.ts';
import type { Failure } from '../core/errors.ts';
import type { KeyWatch } from '../core/clients/key-watch.ts';
import type { Replica } from '../core/replication/replica.ts';
import type { SlotView } from '../core/replication/slot-view.ts';
import type { Clock } from '../ports/clock.ts';
import type { Random } from '../ports/random.ts';
import type { Deadlines } from './deadlines.ts';
import type { Forwarder } from './peers/forwarder.ts';
import type { LegacyReader } from './legacy-reader.ts';
import type { NodeTraces } from './tracing/node-traces.ts';
import type { RecordShelf } from './store/record-shelf.ts';
import type { Timing } from './timing.ts';

export interface Serving {
  readonly clock: Clock;
  readonly random: Random;
  readonly deadlines: Deadlines;
  readonly forwarder: Forwarder;
  readonly shelf: RecordShelf;
  readonly keyWatch: KeyWatch;
  readonly timing: Timing;
  /** Null if no legacy source is configured. */
  readonly legacy: LegacyReader | null;
  /** Null if nothing is traced. */
  readonly traces: NodeTraces | null;
  replica(): Replica | null;
  view(): SlotView | null;
  leaseHeld(): boolean;
  /** Milliseconds since this process last held a lease; Infinity if it never did. */
  leaselessMs(): number;
  nameOf(memberId: number): string | undefined;
  /** Why this process will not be part of the cluster until somebody acts; '' if nothing is known. */
  whyShutOut(): string;
  /** Runs the function on one of the next ticks, for operations that wait for a lease, an epoch or a link. */
  later(run: () => void): void;
  count(what: 'reads' | 'writes' | 'failures' | 'staleReads'): void;
}

/** For operations that a node does by itself: the flows' counters are about clients. */
export function uncounted(serving: Serving): Serving {
  return { ...serving, count: () => undefined };
}

/** Milliseconds that an operation waits for a lease or an owner before it is refused. */
export const NOT_READY_MS_MAX = 3_000;

/**
 * The refusal for an operation that no reachable node may answer now; null if it is worth waiting, until that time
 * (monotonic ms). What only an operator can end is not waited for.
 */
export function refusalUnready(serving: Serving, until: number): Failure | null {
  const reason = serving.whyShutOut();
  if (reason !== '') return failure('not_ready', `this node is no part of the cluster: ${reason}`);
  return serving.clock.now() >= until ? failure('not_ready') : null;
}

/** How often an operation may be forwarded between nodes. (PROTOCOL R33) */
export const HOPS_MAX = 2;
