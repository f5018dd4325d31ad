/**
 * What an epoch means for the slots that this node holds: those that it gives up, or starts to learn again, no longer
 * count, and what is in flight there is released. Whatever a learner knows of a slot counts only while it has taken
 * part in every epoch since. While this node gives slots up, it also reports when nothing is left to finish there.
 * (PROTOCOL R15, R17, R19)
 */
import { IndexSet } from '../base/index-set.ts';
import type { KeyWatch } from '../core/clients/key-watch.ts';
import { SLOT_COUNT } from '../core/limits.ts';
import type { Mutations } from '../core/mutations.ts';
import type { Replica } from '../core/replication/replica.ts';
import type { SlotView } from '../core/replication/slot-view.ts';
import { rowPairs } from '../core/placement/slot-index.ts';
import { isForsaken } from '../core/membership/topology.ts';
import type { Clock } from '../ports/clock.ts';
import type { OperationTable } from './store/operation-table.ts';
import type { RecordShelf } from './store/record-shelf.ts';
import type { LeftInFlight } from './store/left-in-flight.ts';

/** Milliseconds after which the report that slots are given up is repeated: a link may have lost it. */
const SAY_AGAIN_MS = 250;

export interface SlotHoldingParts {
  readonly clock: Clock;
  readonly shelf: RecordShelf;
  readonly operations: OperationTable;
  readonly leftInFlight: LeftInFlight;
  readonly mutations: Mutations;
  readonly keyWatch: KeyWatch;
  /** Nothing is left to finish in the slots given up: must be told to all members, in this epoch. */
  readonly onRetired: () => void;
}

export class SlotHolding {
  private readonly parts: SlotHoldingParts;
  private view: SlotView | null = null;
  private retires = false;
  private saidAt = -Infinity;

  constructor(parts: SlotHoldingParts) {
    this.parts = parts;
  }

  /** Called before the replica acts in the new epoch. `isNext`: no epoch was missed. */
  onTopology(next: SlotView, replica: Replica, isNext: boolean): void {
    const lost = this.lostSlots(next, isNext);
    this.view = next;
    this.parts.keyWatch.onEpoch(next, isNext);
    this.saidAt = -Infinity;
    this.retires = next.retiresAnywhere;
    if (lost === null) return;
    for (const state of replica.release((slot) => lost.has(slot))) this.parts.leftInFlight.keep(state);
    for (let slot = lost.next(0); slot >= 0; slot = lost.next(slot + 1)) {
      this.parts.shelf.doubt(slot);
      this.parts.operations.doubt(slot);
    }
  }

  /** This process is not a member: nothing that it holds counts. */
  onNone(): void {
    this.view = null;
    this.parts.keyWatch.onEpoch(null, false);
    this.retires = false;
  }

  tick(replica: Replica): void {
    const { view } = this;
    const { clock } = this.parts;
    if (!this.retires || view === null || clock.now() - this.saidAt < SAY_AGAIN_MS) return;
    if (replica.coordinatesIn((slot) => view.row(slot).retires)) return;
    this.saidAt = clock.now();
    this.parts.onRetired();
  }

  /**
   * True if another node makes the slot whole: what was copied here from the lost owners may be more or less than what
   * that node has. (R28)
   */
  private isRemade({ topology, rows }: SlotView, number: number): boolean {
    if (this.parts.mutations.trustGivenUp === true) return false;
    return isForsaken(topology.rows[number]!) && !rows[number]!.recovers;
  }

  private lostSlots(next: SlotView, isNext: boolean): IndexSet | null {
    const { view } = this;
    if (view === null || this.parts.mutations.trustMovedSlots === true) return null;
    let lost: IndexSet | null = null;
    for (const pair of rowPairs(view.topology, next.topology)) {
      const after = next.rows[pair.after]!;
      if (after.owns) continue;
      const before = view.rows[pair.before]!;
      const isStaying = after.learns && isNext && (before.owns || before.learns);
      if (isStaying && !this.isRemade(next, pair.after)) continue;
      if (!after.learns && !before.owns && !before.learns) continue;
      lost ??= new IndexSet(SLOT_COUNT);
      for (let at = 0; at < pair.slots.length; at += 1) lost.add(pair.slots[at]!);
    }
    return lost;
  }
}
