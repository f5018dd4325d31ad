/**
 * Leases: who may serve, and until when. The holder counts from the moment it *sent* a heartbeat that a
 * majority of the council granted, so that its lease is over by its own clock before anyone who waits for its
 * end, from a later moment and with a margin for drifting clocks, may go on. A voter that accepts an epoch grants it ahead to
 * all whose heartbeats it has, so that an epoch is taken over with a lease at hand: otherwise everybody would serve nothing
 * for as long as a heartbeat takes there and back. (PROTOCOL R14, R15, R16)
 */
import { TICK_MS } from './limits.ts';
import type { Mutations } from './mutations.ts';
import { isLiveIncarnation, majorityOf } from './topology.ts';
import type { Topology } from './topology.ts';

/** How long a waiter counts, by its own clock, to be sure that a lease of `leaseMs` by another clock is over. */
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
  /** What voters granted for epochs that this process does not act in yet: for each the latest. */
  private readonly ahead = new Map<number, { readonly epoch: number; readonly from: number }>();
  /** Heartbeats sent before this moment count no more. */
  private floor = -Infinity;
  private released = false;
  private untilAt = -Infinity;

  constructor(mutations: Mutations) {
    this.mutations = mutations;
  }

  /** The process acts in this topology from now on; whatever it held before is over. */
  begin(topology: Topology): void {
    this.epoch = topology.epoch;
    this.leaseMs = topology.leaseMs;
    this.voters = topology.council;
    this.grantedAt.clear();
    this.untilAt = -Infinity;
  }

  /** The epoch has been taken over here: what voters granted ahead of it counts from now on. */
  takeGrants(): void {
    for (const [voter, { epoch, from }] of this.ahead) {
      if (epoch > this.epoch) continue;
      this.ahead.delete(voter);
      if (epoch === this.epoch) this.count(voter, from);
    }
  }

  /** The lease is over; only heartbeats sent from now on can bring a new one. */
  drop(now: number): void {
    this.grantedAt.clear();
    this.ahead.clear();
    this.floor = now;
    this.untilAt = -Infinity;
  }

  /** Given up for good: this process will not serve again. (R18) */
  release(): void {
    this.released = true;
    this.untilAt = -Infinity;
  }

  /**
   * `epoch` is the one that was granted, whichever the heartbeat was sent in: a late answer of an earlier one counts no
   * more, and what is granted ahead counts once this process acts in that epoch.
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

  /** The lease is held while the monotonic clock stands below this; -Infinity where there is none. */
  get until(): number {
    return this.untilAt;
  }

  /** It counts from here: a majority of the council went by this epoch at that moment or later; -Infinity where there is none. */
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
  /** With a grant the epoch it is for; otherwise the highest epoch that binds this voter. */
  readonly epoch: number;
}

/**
 * A voter's word on a heartbeat. Having accepted a later epoch ends its grants for every earlier one: any
 * majority that has chosen the later epoch then shares a voter with any majority of grants, which gave its
 * grant before it accepted, and so before the epoch was chosen. A topology that the voter knows to be chosen
 * counts like an accepted one, but never against a later one that it has accepted.
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

/** The topology by which a voter grants; null where it knows none. */
export function bindingOf(
  accepted: Topology | null,
  learned: Topology | null,
  mutations: Mutations,
): Topology | null {
  const acceptedEpoch = mutations.grantByLearned === true ? 0 : (accepted?.epoch ?? 0);
  return (learned?.epoch ?? 0) >= acceptedEpoch ? learned : accepted;
}

/** Part by which a wall clock that is being corrected may run faster than the monotonic one: twice what NTP slews. */
const WALL_SLEW_MAX = 0.001;
/** Milliseconds. The kernel tells the time since boot in hundredths of a second. */
const BOOT_GAP_MS_MAX = 2 * TICK_MS;

/**
 * Notices that this process or its machine did not run for a while: the wall clock or the clock that counts
 * through suspension ran ahead of the monotonic one. Clocks only take away: a clock that went back is no gap. What is
 * let pass, many short sleeps together included, lies within the tick by which waiting out outlasts a lease.
 */
export class ClockGap {
  private monotonic: number;
  /** How far the wall clock lay before the monotonic one, at the least, but for what correcting it may have added. */
  private wallAhead: number;
  private bootAhead: number;

  constructor(monotonic: number, wall: number, boot: number) {
    this.monotonic = monotonic;
    this.wallAhead = wall - monotonic;
    this.bootAhead = boot - monotonic;
  }

  /** Cheap enough for every read: the wall clock alone. */
  wallRanAhead(monotonic: number, wall: number): boolean {
    return wall - monotonic - this.wallAhead > TICK_MS;
  }

  /** Compares all clocks with those of the tick before; true where there was a gap, which is then over. */
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
