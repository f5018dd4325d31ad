/**
 * How deletions come to be forgotten, a number of them at a time: all owners of their slots raise the floor above them
 * and say, in one epoch, that it is on their disks and that nothing at or below it is in flight with them; only then each
 * removes exactly those versions. Whoever coordinates it keeps count here. Learners are asked as well, where there are any.
 * (PROTOCOL R22, decision 13)
 */
import type { SlotFloor } from './floors.ts';
import type { Mutations } from './mutations.ts';
import type { KeyRecord } from './record.ts';
import { everythingDriven } from './record-standing.ts';
import type { SlotView } from './replication/slot-view.ts';
import { counterOf } from './version.ts';

/** A deletion to be forgotten: exactly this version. */
export interface Deletion {
  readonly slot: number;
  readonly key: string;
  readonly version: number;
  /** Only PostgreSQL has it any more: its row is to go, and no owner has anything to forget. (R23) */
  readonly isDebris?: boolean;
}

/** Slots whose owners are all past their floors, with what may be removed there. */
export interface Removal {
  readonly floors: readonly SlotFloor[];
  readonly deletions: readonly Deletion[];
}

interface SlotPart extends SlotFloor {
  readonly deletions: Deletion[];
  /** Owners and learners that have not said so, this node among them. */
  readonly awaiting: Set<number>;
}

/**
 * May deletions of the slot be forgotten in this epoch? Only where nobody may come to know the slot without having heard
 * of the floor: every complete owner lives, nobody copies, nothing changes hands, and a miss is final. And only while
 * PostgreSQL has all that is held: it may have to be told of the deletion again. (R22, R23, R30)
 */
export function mayForget(view: SlotView, slot: number, mutations: Mutations): boolean {
  const row = view.row(slot);
  if (!row.owns || !view.topology.loaded || !everythingDriven(view.topology)) return false;
  return row.isSteady || mutations.forgetWhileCopying === true;
}

/** Old enough by the clock on the wall: so that whoever looks into a deletion finds it for a while. */
export function isOldDeletion(record: KeyRecord, wallNow: number, keepMs: number): boolean {
  return record.tombstone && record.updatedAt + keepMs <= wallNow;
}

export class Collection {
  readonly round: number;
  readonly epoch: number;
  private readonly parts = new Map<number, SlotPart>();

  /**
   * `deletions`: what is at rest here, and so is held or outranked at every owner. `bare`: floors that all owners are to be
   * past, where nothing is to be forgotten.
   */
  constructor(
    round: number,
    view: SlotView,
    deletions: readonly Deletion[],
    bare: readonly SlotFloor[] = [],
  ) {
    this.round = round;
    this.epoch = view.topology.epoch;
    const floors = new Map(bare.map(({ slot, counter }) => [slot, counter]));
    for (const { slot, version } of deletions)
      floors.set(slot, Math.max(floors.get(slot) ?? 0, counterOf(version)));
    for (const [slot, counter] of floors) {
      const { owners, all } = view.row(slot);
      const awaiting = new Set([...owners, ...all]);
      this.parts.set(slot, { slot, counter, deletions: [], awaiting });
    }
    for (const deletion of deletions) this.parts.get(deletion.slot)!.deletions.push(deletion);
  }

  get isOver(): boolean {
    return this.parts.size === 0;
  }

  /** Slots that nobody has come to an end with. */
  get slots(): number[] {
    return [...this.parts.keys()];
  }

  /** Whom to ask for which floors, or to ask again. */
  questions(): Map<number, SlotFloor[]> {
    const asked = new Map<number, SlotFloor[]>();
    for (const { slot, counter, awaiting } of this.parts.values()) {
      for (const member of awaiting) {
        const floors = asked.get(member);
        if (floors === undefined) asked.set(member, [{ slot, counter }]);
        else floors.push({ slot, counter });
      }
    }
    return asked;
  }

  /** The member has said so: as an owner that is past these floors, or as a learner that takes nothing from below. */
  raised(member: number, slots: readonly number[]): void {
    for (const slot of slots) this.parts.get(slot)?.awaiting.delete(member);
  }

  /** What has come to be removable since the last time. */
  takeReady(): Removal {
    const floors: SlotFloor[] = [];
    const deletions: Deletion[] = [];
    for (const part of this.parts.values()) {
      if (part.awaiting.size > 0) continue;
      floors.push({ slot: part.slot, counter: part.counter });
      deletions.push(...part.deletions);
      this.parts.delete(part.slot);
    }
    return { floors, deletions };
  }
}
