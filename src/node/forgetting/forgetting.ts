/**
 * An owner's part in forgetting deletions. It raises the floor of their slot, and confirms that once the floor is on
 * disk and nothing at or below it is in flight here. When told that all owners have confirmed, it removes exactly those
 * versions where they still stand. (PROTOCOL R22)
 */
import { mayForget } from '../../core/upkeep/collection.ts';
import type { DeletionsForget, FloorRaise } from '../../core/upkeep/collection-message.ts';
import type { SlotFloor } from '../../core/upkeep/floors.ts';
import { SLOT_COUNT } from '../../core/limits.ts';
import type { Mutations } from '../../core/mutations.ts';
import type { Replica } from '../../core/replication/replica.ts';
import { counterOf } from '../../core/version.ts';
import type { Telemetry } from '../../ports/telemetry.ts';
import type { FloorStore } from '../store/floor-store.ts';
import type { RecordShelf } from '../store/record-shelf.ts';

export interface ForgettingParts {
  readonly telemetry: Telemetry;
  readonly shelf: RecordShelf;
  readonly floors: FloorStore;
  readonly mutations: Mutations;
  readonly replica: () => Replica | null;
  /** False while it is unknown whether this disk's floor is the latest. */
  readonly mayRaise: (slot: number) => boolean;
}

export class Forgetting {
  /** Deletions that this process has removed. */
  count = 0;
  private readonly parts: ForgettingParts;

  constructor(parts: ForgettingParts) {
    this.parts = parts;
  }

  /** Another epoch begins. */
  onEpoch(): void {
    this.parts.floors.floors.openFences();
  }

  /**
   * Calls `done`, in a later turn, with the slots that have passed their floor, and with those where this node is a
   * learner and promises to take nothing from below. Not called if another epoch has begun meanwhile.
   */
  raise({ floors }: Pick<FloorRaise, 'floors'>, done: (slots: readonly number[]) => void): void {
    const { replica, shelf, mutations, mayRaise } = this.parts;
    const acting = replica();
    if (acting === null) return;
    const { view } = acting;
    const isPast = ({ slot, counter }: SlotFloor): boolean => this.parts.floors.floors.of(slot) >= counter;
    const ours = floors.filter(
      (floor) =>
        floor.slot < SLOT_COUNT && view.row(floor.slot).owns && (isPast(floor) || mayRaise(floor.slot)),
    );
    const learnt = floors.filter(({ slot }) => slot < SLOT_COUNT && view.row(slot).learns);
    acting.promiseFloors(learnt);
    if (mutations.raiseNoFloor !== true) for (const floor of ours) this.parts.floors.raise(floor);
    shelf.whenStored(() => {
      if (replica() !== acting || acting.view !== view) return;
      // Checked only now: since the floor was raised, nothing new has begun below it.
      const isUnquiet = mutations.raiseUnquiet === true;
      const quiet = isUnquiet ? ours.map(({ slot }) => slot) : acting.quietSlots(ours);
      done([...quiet, ...learnt.map(({ slot }) => slot)]);
    });
  }

  /** All owners have passed these floors. */
  agreed(floors: readonly SlotFloor[]): void {
    this.parts.replica()?.agreeFloors(floors.filter(({ slot }) => slot < SLOT_COUNT));
  }

  forget({ floors, deletions }: Omit<DeletionsForget, 'kind'>): void {
    const acting = this.parts.replica();
    if (acting === null) return;
    this.agreed(floors);
    const fenced = new Map<number, number>();
    for (const floor of deletions.length === 0 ? [] : floors) {
      if (!this.isPast(acting, floor)) continue;
      this.parts.floors.floors.fence(floor.slot, floor.counter);
      fenced.set(floor.slot, floor.counter);
    }
    for (const { slot, key, version } of deletions) {
      if (counterOf(version) > (fenced.get(slot) ?? 0) || acting.stateOf(key) !== undefined) continue;
      const sealed = this.parts.shelf.load(key, slot);
      if (sealed === undefined || sealed === 'damaged') continue;
      if (sealed.record.version !== version || !sealed.record.tombstone) continue;
      this.parts.floors.forgotten.note(slot, counterOf(version));
      this.parts.shelf.replaceAtRest(slot, key, null);
      this.count += 1;
      this.parts.telemetry.event('debug', 'tombstone.forgotten', {
        ...{ slot, version, epoch: acting.view.topology.epoch },
      });
    }
  }

  /** All owners can only have raised the floor if this node has. */
  private isPast({ view }: Replica, { slot, counter }: SlotFloor): boolean {
    const { mutations, floors } = this.parts;
    if (slot >= SLOT_COUNT || !mayForget(view, slot, mutations)) return false;
    return floors.floors.of(slot) >= counter || mutations.raiseNoFloor === true;
  }
}
