/**
 * What one node still owes to members that owned rows before the present epoch: until such a member has
 * surely lost its lease, no write of those rows completes without it. And since when each member's process
 * has been part of the cluster without a break. (PROTOCOL R13, R15, R17)
 */
import { waitOutMs } from './lease.ts';
import type { Mutations } from './mutations.ts';
import { isAlive, memberById, memberByName } from './topology.ts';
import type { Topology } from './topology.ts';

interface Wait {
  readonly until: number;
  /** The epoch without the member: a frame of it, or of a later one, from the member ends the wait. */
  readonly epoch: number;
  /** The process that may still hold a lease. */
  readonly incarnation: number;
  /** Another process stands under this id, or under this name: only time ends the wait. */
  readonly byTimeOnly: boolean;
}

export class WaitingOut {
  private readonly mutations: Mutations;
  private readonly waits = new Map<number, Wait>();
  private readonly released = new Map<number, number>();

  constructor(mutations: Mutations) {
    this.mutations = mutations;
  }

  /** Monotonic time; 0 where nothing is owed. */
  until(id: number): number {
    return this.waits.get(id)?.until ?? 0;
  }

  /** `previous` is what this very process acted in before, null at its first topology. `now`: when it learned. */
  onTopology(previous: Topology | null, next: Topology, now: number): void {
    if (this.mutations.noWaitOut === true) return;
    this.forgetReplaced(next);
    const until = now + waitOutMs(next.leaseMs, next.clockDrift);
    if (previous === null || previous.epoch + 1 !== next.epoch) {
      this.afterJump(previous, next, until);
    } else {
      this.afterStep(previous, next, until);
    }
  }

  onReleased(id: number, incarnation: number): void {
    this.released.set(id, incarnation);
    const wait = this.waits.get(id);
    if (wait !== undefined && !wait.byTimeOnly && wait.incarnation === incarnation) this.waits.delete(id);
  }

  /** Has this process given its lease up? */
  hasReleased(id: number, incarnation: number): boolean {
    return this.released.get(id) === incarnation;
  }

  /** Whoever acts in the new epoch has dropped its lease of the old one. */
  onFrame(id: number, epoch: number): void {
    const wait = this.waits.get(id);
    if (wait !== undefined && !wait.byTimeOnly && epoch >= wait.epoch) this.waits.delete(id);
  }

  onTick(now: number): void {
    for (const [id, wait] of this.waits) if (wait.until <= now) this.waits.delete(id);
  }

  /** A new process on the same disk in the epoch: the old one is gone for certain. */
  private forgetReplaced(next: Topology): void {
    for (const [id, wait] of this.waits) {
      const member = memberById(next, id);
      if (!wait.byTimeOnly && member?.alive === true && member.incarnation !== wait.incarnation) {
        this.waits.delete(id);
      }
    }
  }

  private afterStep(previous: Topology, next: Topology, until: number): void {
    for (const before of previous.members) {
      if (!before.alive || !ownsAnything(previous, before.id)) continue;
      const wait = { until, epoch: next.epoch, incarnation: before.incarnation };
      const after = memberById(next, before.id);
      if (after === undefined) {
        // Another disk took the place, under a new id: nothing proves that the old process is dead.
        this.wait(before.id, { ...wait, byTimeOnly: true });
        const successor = memberByName(next, before.name);
        if (successor !== undefined) this.wait(successor.id, { ...wait, byTimeOnly: true });
      } else if (!after.alive) {
        this.wait(before.id, { ...wait, byTimeOnly: false });
      } else if (after.incarnation === before.incarnation && lostRow(previous, next, before.id)) {
        this.wait(before.id, { ...wait, byTimeOnly: false });
      }
    }
  }

  /** Epochs were missed: any member may have owned and lost its rows in one of them. (R17) */
  private afterJump(previous: Topology | null, next: Topology, until: number): void {
    if (next.epoch === 1) return;
    const nextIdBefore = previous?.nextId ?? next.members.length + 1;
    for (const member of next.members) {
      const replaced = member.id >= nextIdBefore;
      if (member.alive && !replaced) continue;
      const wait = { until, epoch: next.epoch, incarnation: member.incarnation, byTimeOnly: replaced };
      this.wait(member.id, wait);
      const before = previous === null ? undefined : memberByName(previous, member.name);
      if (before !== undefined && before.id !== member.id) this.wait(before.id, wait);
    }
  }

  private wait(id: number, wait: Wait): void {
    if (!wait.byTimeOnly && this.released.get(id) === wait.incarnation) return;
    this.waits.set(id, wait);
  }
}

/** Is the member complete anywhere? Only then its lease lets it serve. */
function ownsAnything(topology: Topology, id: number): boolean {
  return topology.rows.some((row) => row.complete.includes(id));
}

function lostRow(previous: Topology, next: Topology, id: number): boolean {
  if (previous.rows.length !== next.rows.length) return true;
  return previous.rows.some(
    (row, index) => row.complete.includes(id) && !next.rows[index]!.complete.includes(id),
  );
}

/** Since which epoch each member's present process has been part of every epoch. (R13) */
export class Tenures {
  private readonly tenures = new Map<number, { incarnation: number; since: number }>();

  onTopology(next: Topology): void {
    for (const member of next.members) {
      const tenure = this.tenures.get(member.id);
      if (!isAlive(next, member.id)) this.tenures.delete(member.id);
      else if (tenure?.incarnation !== member.incarnation) {
        this.tenures.set(member.id, { incarnation: member.incarnation, since: next.epoch });
      }
    }
    for (const id of this.tenures.keys()) if (memberById(next, id) === undefined) this.tenures.delete(id);
  }

  /** Infinity for what is no member. */
  since(id: number): number {
    return this.tenures.get(id)?.since ?? Infinity;
  }
}
