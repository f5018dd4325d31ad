/** A clean stop in progress, and the phase that a node reports. (PROTOCOL R18) */
import type { Phase } from '../../core/membership/phases.ts';
import type { Suspicion } from '../../core/membership/suspicion.ts';
import type { Member, SlotRow, Topology } from '../../core/membership/topology.ts';
import type { PeerTable } from './peer-table.ts';
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

  /**
   * Finishes when all who are there act in an epoch without this process, when nobody is left to make one, or at the
   * deadline. Whoever has not heard of that epoch still sends operations here; who acts in it has sent its last one
   * before, on the same link, so that it has been answered.
   */
  tick(known: Topology | null, isLive: boolean, suspicion: Suspicion, peers: PeerTable, now: number): void {
    if (this.done === null) return;
    const present = (known?.members ?? []).filter(
      (member) => member.alive && suspicion.isPresent(member.name, now),
    );
    const actsInIt = ({ name }: Member): boolean => peers.actsIn(name, known!.epoch);
    const isOver = present.length === 0 || (!isLive && present.every(actsInIt));
    if (!isOver && now < this.deadline) return;
    const { done } = this;
    this.done = null;
    done();
  }
}

/** `joins`: it asks to become a member where it is not one, and never founds a cluster. */
export function phaseOf(
  self: MembershipSelf,
  known: Topology | null,
  {
    isStopping,
    hasLeft,
    joins,
  }: { readonly isStopping: boolean; readonly hasLeft: boolean; readonly joins: boolean },
): Phase {
  if (isStopping) return 'stopping';
  if (hasLeft) return 'left';
  if (self.incarnation === 0) return 'starting';
  if (known === null) return joins || self.isInDoubt ? 'entering' : 'founding';
  if (!self.live) return 'entering';
  const { id } = self.identity;
  const isReturning = (row: SlotRow): boolean => row.owners.includes(id) && !row.complete.includes(id);
  // A member that serves some slots and learns others counts as serving.
  const serves = known.rows.some((row) => row.complete.includes(id));
  return !serves && known.rows.some(isReturning) ? 'learning' : 'serving';
}
