/**
 * Leases: who may serve, and until when. The holder counts its lease from the moment it *sent* the heartbeat that a
 * majority of the council granted. Anyone who waits for the lease to end counts from a later moment, with a margin for
 * clock drift, so the lease is over by the holder's own clock before they go on. A voter that accepts an epoch grants
 * it in advance to every member whose heartbeat it has, so that members enter the epoch with a lease in hand; otherwise
 * nobody would serve until a heartbeat had gone there and back. (PROTOCOL R14, R15, R16)
 */
import { TICK_MS } from '../limits.ts';
import type { Mutations } from '../mutations.ts';
import { isLiveIncarnation, majorityOf } from './topology.ts';
import type { Topology } from './topology.ts';

/** How long a waiter must count, by its own clock, to be sure that a lease of `leaseMs` by another clock is over. */
export function waitOutMs(leaseMs: number, clockDrift: number): number {
  return (leaseMs * (1 + clockDrift)) / (1 - clockDrift) + TICK_MS;
}

/** The lease of one process, by its own monotonic clock. */
export class LeaseHolder {
  private readonly mutations: Mutations;
  private epoch = 0;
  private leaseMs = 0;
  private voters: readonly number[] = [];
  private readonly grantedAt = new Map<number, number>();
  /** Grants for epochs in which this process does not act yet: the latest of each voter. */
  private readonly ahead = new Map<number, { readonly epoch: number; readonly from: number }>();
  /** Grants for heartbeats sent before this moment do not count. */
  private floor = -Infinity;
  private released = false;
  private untilAt = -Infinity;

  constructor(mutations: Mutations) {
    this.mutations = mutations;
  }

  /** The process acts in this topology from now on; any earlier lease is over. */
  begin(topology: Topology): void {
    this.epoch = topology.epoch;
    this.leaseMs = topology.leaseMs;
    this.voters = topology.council;
    this.grantedAt.clear();
    this.untilAt = -Infinity;
  }

  /** The process has entered the epoch: grants given in advance for it count from now on. */
  takeGrants(): void {
    for (const [voter, { epoch, from }] of this.ahead) {
      if (epoch > this.epoch) continue;
      this.ahead.delete(voter);
      if (epoch === this.epoch) this.count(voter, from);
    }
  }

  /** Ends the lease; only heartbeats sent from now on can bring a new one. */
  drop(now: number): void {
    this.grantedAt.clear();
    this.ahead.clear();
    this.floor = now;
    this.untilAt = -Infinity;
  }

  /** Gives up the lease for good: this process will not serve again. (R18) */
  release(): void {
    this.released = true;
    this.untilAt = -Infinity;
  }

  /**
   * `epoch` is the epoch granted, whichever the heartbeat was sent in. A late grant for an earlier epoch no longer
   * counts; a grant for a later one counts once this process acts in that epoch.
   */
  onGrant(voter: number, epoch: number, sentAt: number, receivedAt: number): void {
    if (epoch < this.epoch || sentAt < this.floor || sentAt > receivedAt) return;
    const from = this.mutations.leaseFromReceipt === true ? receivedAt : sentAt;
    if (epoch === this.epoch) return this.count(voter, from);
    const known = this.ahead.get(voter);
    if (known === undefined || epoch > known.epoch || (epoch === known.epoch && from > known.from))
      this.ahead.set(voter, { epoch, from });
  }

  private count(voter: number, from: number): void {
    if (this.released || !this.voters.includes(voter)) return;
    if (from <= (this.grantedAt.get(voter) ?? -Infinity)) return;
    this.grantedAt.set(voter, from);
    const latest = [...this.grantedAt.values()].sort((a, b) => b - a);
    const decisive = latest[majorityOf(this.voters.length) - 1];
    if (decisive !== undefined) this.untilAt = decisive + this.leaseMs;
  }

  /** The lease is held while the monotonic clock is below this; -Infinity if there is no lease. */
  get until(): number {
    return this.untilAt;
  }

  /**
   * The moment from which the lease counts: a majority of the council acted in this epoch at that moment or later.
   * -Infinity if there is no lease.
   */
  get from(): number {
    return this.untilAt - this.leaseMs;
  }
}

export interface LeaseAsk {
  readonly id: number;
  readonly incarnation: number;
  readonly epoch: number;
}

export interface LeaseAnswer {
  readonly granted: boolean;
  /** If granted, the epoch it is for; otherwise the highest epoch that binds this voter. */
  readonly epoch: number;
}

/**
 * A voter's answer to a heartbeat. Accepting a later epoch ends the voter's grants for every earlier one. So any
 * majority that has chosen the later epoch shares a voter with any majority of grants for an earlier one, and that
 * voter gave its grant before it accepted, and thus before the epoch was chosen. A topology that the voter knows to be
 * chosen counts like an accepted one, but never against a later one that it has accepted.
 */
export function answerLease(
  accepted: Topology | null,
  learned: Topology | null,
  ask: LeaseAsk,
  mutations: Mutations,
): LeaseAnswer {
  const binding = bindingOf(accepted, learned, mutations);
  const epoch = binding?.epoch ?? 0;
  const granted =
    binding !== null && ask.epoch === epoch && isLiveIncarnation(binding, ask.id, ask.incarnation);
  return { granted, epoch };
}

/** The topology on which a voter bases its grants; null if it knows none. */
export function bindingOf(
  accepted: Topology | null,
  learned: Topology | null,
  mutations: Mutations,
): Topology | null {
  const acceptedEpoch = mutations.grantByLearned === true ? 0 : (accepted?.epoch ?? 0);
  return (learned?.epoch ?? 0) >= acceptedEpoch ? learned : accepted;
}

/**
 * Fraction by which a wall clock that is being corrected may run faster than the monotonic one: twice the rate at which
 * NTP slews.
 */
const WALL_SLEW_MAX = 0.001;
/** Milliseconds. The kernel reports the time since boot in hundredths of a second. */
const BOOT_GAP_MS_MAX = 2 * TICK_MS;

/**
 * Notices that this process or its machine did not run for a while, because the wall clock, or the clock that counts
 * through suspension, ran ahead of the monotonic one. Clocks can only take a lease away: a clock that went back is not
 * a gap. Gaps too small to be noticed, even many short sleeps together, stay within the tick by which the waiting-out
 * exceeds a lease.
 */
export class ClockGap {
  private monotonic: number;
  /** Smallest lead seen of the wall clock over the monotonic one, allowing for what slewing may have added. */
  private wallAhead: number;
  private bootAhead: number;

  constructor(monotonic: number, wall: number, boot: number) {
    this.monotonic = monotonic;
    this.wallAhead = wall - monotonic;
    this.bootAhead = boot - monotonic;
  }

  /** Checks the wall clock only: cheap enough for every read. */
  wallRanAhead(monotonic: number, wall: number): boolean {
    return wall - monotonic - this.wallAhead > TICK_MS;
  }

  /**
   * Compares all clocks with those of the previous tick. Returns true if there was a gap, and then starts afresh from
   * the current clocks.
   */
  tick(monotonic: number, wall: number, boot: number): boolean {
    const wallAhead = wall - monotonic;
    const bootAhead = boot - monotonic;
    const gap = this.wallRanAhead(monotonic, wall) || bootAhead - this.bootAhead > BOOT_GAP_MS_MAX;
    const slewed = this.wallAhead + (monotonic - this.monotonic) * WALL_SLEW_MAX;
    this.wallAhead = gap ? wallAhead : Math.min(wallAhead, slewed);
    this.bootAhead = gap ? bootAhead : Math.min(bootAhead, this.bootAhead);
    this.monotonic = monotonic;
    return gap;
  }
}
