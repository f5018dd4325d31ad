/**
 * Waiting for members that served slots before the present epoch. Until such a member has certainly lost its lease, no
 * write of those slots completes without it, whether the member was removed or the slot was merely placed elsewhere.
 * (PROTOCOL R15, R17)
 */
import { waitOutMs } from './lease.ts';
import { firstEpochOf } from '../lives/life-epochs.ts';
import type { Mutations } from '../mutations.ts';
import { rowPairs } from '../placement/slot-index.ts';
import { isAlive, isLiveIncarnation, memberById, memberByName } from './topology.ts';
import type { SlotRow, Topology } from './topology.ts';

interface Wait {
  /** 0 stands for a member of which this node knows nothing. */
  readonly id: number;
  readonly until: number;
  /** The first epoch without the member: a frame from the member in this epoch, or a later one, ends the wait. */
  readonly epoch: number;
  /** The process that may still hold a lease. */
  readonly incarnation: number;
  /** Another process has taken this id, or this name: only time ends the wait. */
  readonly byTimeOnly: boolean;
  /** The slots that the member may serve; null if it may be any. */
  readonly slots: Slots | null;
}

type Slots = (slot: number) => boolean;

export class WaitingOut {
  private readonly mutations: Mutations;
  private waits: Wait[] = [];
  private readonly released = new Map<number, number>();

  constructor(mutations: Mutations) {
    this.mutations = mutations;
  }

  /** Monotonic time until which no write of the slot may complete; 0 if nothing has to be waited for. */
  blockedUntil(slot: number): number {
    let until = 0;
    for (const wait of this.waits) {
      if (wait.until > until && (wait.slots === null || wait.slots(slot))) until = wait.until;
    }
    return until;
  }

  /** Monotonic time; 0 if this member does not have to be waited for. */
  until(id: number): number {
    return Math.max(0, ...this.waits.filter((wait) => wait.id === id).map((wait) => wait.until));
  }

  /**
   * `previous`: the topology in which this very process acted before; null for its first one. `now`: when it learned of
   * `next`.
   */
  onTopology(previous: Topology | null, next: Topology, now: number): void {
    if (this.mutations.noWaitOut === true) return;
    this.forgetReplaced(next);
    const until = now + waitOutMs(next.leaseMs, next.clockDrift);
    if (previous === null || previous.epoch + 1 !== next.epoch) this.afterJump(previous, next, until);
    else this.afterStep(previous, next, until);
  }

  onReleased(id: number, incarnation: number): void {
    this.released.set(id, incarnation);
    this.end((wait) => wait.id === id && !wait.byTimeOnly && wait.incarnation === incarnation);
  }

  /** True if this process has given up its lease. */
  hasReleased(id: number, incarnation: number): boolean {
    return this.released.get(id) === incarnation;
  }

  /** A member that acts in the new epoch has dropped its lease of the old one. */
  onFrame(id: number, epoch: number): void {
    if (this.waits.length > 0) this.end((wait) => wait.id === id && !wait.byTimeOnly && epoch >= wait.epoch);
  }

  onTick(now: number): void {
    if (this.waits.length > 0) this.end((wait) => wait.until <= now);
  }

  private end(isOver: (wait: Wait) => boolean): void {
    if (this.waits.some(isOver)) this.waits = this.waits.filter((wait) => !isOver(wait));
  }

  /** The epoch has a new process on the same disk: the old process is certainly gone. */
  private forgetReplaced(next: Topology): void {
    this.end((wait) => {
      if (wait.byTimeOnly) return false;
      const member = memberById(next, wait.id);
      return member?.alive === true && member.incarnation !== wait.incarnation;
    });
  }

  private afterStep(previous: Topology, next: Topology, until: number): void {
    for (const [id, slots] of lostSlots(previous, next, this.mutations.noWaitForMoved === true)) {
      const { name, incarnation } = memberById(previous, id)!;
      const wait = { until, epoch: next.epoch, incarnation, slots };
      const after = memberById(next, id);
      if (after !== undefined) {
        // A new incarnation on the same disk: the previous one is dead.
        if (after.alive && after.incarnation !== incarnation) continue;
        this.wait({ ...wait, id, byTimeOnly: false });
        continue;
      }
      // A new disk took the member's place under a new id: nothing proves that the old process is dead.
      this.wait({ ...wait, id, byTimeOnly: true });
      const successor = memberByName(next, name);
      if (successor !== undefined) this.wait({ ...wait, id: successor.id, byTimeOnly: true });
    }
  }

  /** Epochs were missed: in one of them any member may have been given any slot, and have lost it again. (R17) */
  private afterJump(previous: Topology | null, next: Topology, until: number): void {
    if (next.epoch === firstEpochOf(next.life)) return;
    const nextIdBefore = previous?.nextId ?? next.members.length + 1;
    for (const { id, name, incarnation } of next.members) {
      const isReplaced =
        id >= nextIdBefore && (previous === null || memberByName(previous, name) !== undefined);
      const slots = slotsNotServed(next, id);
      if (slots === null) continue;
      const wait = { id, until, epoch: next.epoch, incarnation, byTimeOnly: isReplaced, slots };
      this.wait(wait);
      const before = previous === null ? undefined : memberByName(previous, name);
      if (before !== undefined && before.id !== id) this.wait({ ...wait, id: before.id });
    }
    if (this.hasVanished(previous, next)) {
      this.wait({ id: 0, until, epoch: next.epoch, incarnation: 0, byTimeOnly: true, slots: null });
    }
  }

  /** True if somebody may have been a member in the meantime and is not one now. */
  private hasVanished(previous: Topology | null, next: Topology): boolean {
    for (let id = 1; id < next.nextId; id += 1) {
      if (memberById(next, id) !== undefined) continue;
      if (previous === null || id >= previous.nextId || memberById(previous, id) !== undefined) return true;
    }
    return false;
  }

  private wait(wait: Wait): void {
    if (!wait.byTimeOnly && this.released.get(wait.id) === wait.incarnation) return;
    this.waits.push(wait);
  }
}

/**
 * True if the member is complete and alive as far as the topology knows; only then does a lease let it serve the row.
 */
function serves(topology: Topology, row: SlotRow, id: number): boolean {
  return row.complete.includes(id) && isAlive(topology, id);
}

/**
 * For each member that served in the previous topology: the slots that it does not serve any more, or only as another
 * process.
 */
function lostSlots(previous: Topology, next: Topology, onlyGone: boolean): Map<number, Slots> {
  const goOn = new Set<number>();
  for (const { id, incarnation, alive } of previous.members)
    if (alive && isLiveIncarnation(next, id, incarnation)) goOn.add(id);
  const losers = new Set<number>();
  for (const pair of rowPairs(previous, next)) {
    const after = next.rows[pair.after]!.complete;
    for (const id of previous.rows[pair.before]!.complete)
      if (!(goOn.has(id) && (onlyGone || after.includes(id)))) losers.add(id);
  }
  const lost = new Map<number, Slots>();
  for (const { id, alive } of previous.members) {
    if (!alive || !losers.has(id)) continue;
    const goesOn = goOn.has(id);
    const was = previous.rows.map((row) => row.complete.includes(id));
    const is = next.rows.map((row) => goesOn && row.complete.includes(id));
    lost.set(id, (slot) => was[previous.slotRow[slot]!]! && !is[next.slotRow[slot]!]!);
  }
  return lost;
}

/** Null if the member serves all slots. */
function slotsNotServed(topology: Topology, id: number): Slots | null {
  const served = topology.rows.map((row) => serves(topology, row, id));
  if (served.every((each) => each)) return null;
  return (slot) => !served[topology.slotRow[slot]!]!;
}
