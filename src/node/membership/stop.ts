/** A clean stop in progress, and the phase that a node reports. (PROTOCOL R18) */
import type { Phase } from '../../core/phases.ts';
import type { Suspicion } from '../../core/suspicion.ts';
import type { SlotRow, Topology } from '../../core/topology.ts';
import type { MembershipSelf } from './self.ts';

export class MembershipStop {
  private done: (() => void) | null = null;
  private deadline = Infinity;

  get isAsked(): boolean {
    return this.deadline < Infinity;
  }

  ask(deadline: number, done: () => void): void {
    this.done = done;
    this.deadline = deadline;
  }

  /** Finishes when the epoch without this process exists, when nobody is left to make it, or at the deadline. */
  tick(known: Topology | null, isLive: boolean, suspicion: Suspicion, now: number): void {
    if (this.done === null) return;
    const members = known?.members ?? [];
    const alone = members.every((member) => !member.alive || !suspicion.isPresent(member.name, now));
    if (isLive && !alone && now < this.deadline) return;
    const { done } = this;
    this.done = null;
    done();
  }
}

export function phaseOf(
  self: MembershipSelf,
  known: Topology | null,
  isStopping: boolean,
  hasLeft: boolean,
): Phase {
  if (isStopping) return 'stopping';
  if (hasLeft) return 'left';
  if (self.incarnation === 0) return 'starting';
  if (known === null) return self.isInDoubt ? 'entering' : 'founding';
  if (!self.live) return 'entering';
  const { id } = self.identity;
  const isReturning = (row: SlotRow): boolean => row.owners.includes(id) && !row.complete.includes(id);
  // A member that serves some slots and learns others counts as serving.
  const serves = known.rows.some((row) => row.complete.includes(id));
  return !serves && known.rows.some(isReturning) ? 'learning' : 'serving';
}
