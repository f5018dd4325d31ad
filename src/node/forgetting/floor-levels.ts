/**
 * Brings the floors of slots to a PostgreSQL that lacks them: one that lost its latest rows, or was adopted in place of
 * another. Once everything is driven, all records at rest at or below a floor have their rows there again, which is
 * what the floor asserts. The first owner of a slot does this, after all owners have confirmed once more that they have
 * passed the floor. (PROTOCOL R24, R30)
 */
import { IndexSet } from '../../base/index-set.ts';
import { mayForget } from '../../core/upkeep/collection.ts';
import type { SlotFloor } from '../../core/upkeep/floors.ts';
import { COLLECTION_DELETIONS_MAX, COLLECTION_PATIENCE_MS, SLOT_COUNT } from '../../core/limits.ts';
import type { Mutations } from '../../core/mutations.ts';
import { driveOf } from '../../core/system-of-record/record-standing.ts';
import type { SlotView } from '../../core/replication/slot-view.ts';
import type { Clock } from '../../ports/clock.ts';
import type { SystemOfRecord } from '../../ports/system-of-record.ts';
import type { Telemetry } from '../../ports/telemetry.ts';
import type { FloorStore } from '../store/floor-store.ts';

/** Milliseconds before PostgreSQL is asked again where it failed. */
const AGAIN_AFTER_MS = 500;
/** The same if floors were lower: by then they are raised, or other collections have had their time. */
const LOOK_AGAIN_MS = 2 * COLLECTION_PATIENCE_MS;

export interface FloorLevelsParts {
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly systemOfRecord: SystemOfRecord;
  readonly floors: FloorStore;
  readonly mutations: Mutations;
  readonly leaseHeld: () => boolean;
}

export class FloorLevels {
  private readonly parts: FloorLevelsParts;
  private drive = -1;
  /** Slots for which PostgreSQL was seen, since that drive, to have this node's floor. */
  private readonly level = new IndexSet(SLOT_COUNT);
  /** The floors' turn numbers as they were read: floors are raised only if these are unchanged. */
  private turns = new Map<number, number>();
  private notBefore = -Infinity;
  /** Nothing is left to check in this epoch. */
  private settledIn: SlotView | null = null;

  constructor(parts: FloorLevelsParts) {
    this.parts = parts;
  }

  /** Reports, in a later turn, the floors that PostgreSQL lacks. Returns false if there is nothing to check now. */
  look(view: SlotView, done: (lower: readonly SlotFloor[]) => void): boolean {
    const { clock, systemOfRecord, mutations, telemetry, leaseHeld } = this.parts;
    if (view === this.settledIn || clock.now() < this.notBefore || mutations.leaveFloorsLow === true)
      return false;
    const floors = this.unseen(view);
    if (floors.length === 0) {
      this.settledIn = view;
      return false;
    }
    systemOfRecord.readFloors(
      floors.map(({ slot }) => slot),
      (error, stand) => {
        // Without the lease, others may have started new versions below these floors before they were read. (see
        // RowRemover.raise)
        if (error !== null || !leaseHeld()) {
          this.notBefore = clock.now() + AGAIN_AFTER_MS;
          return done([]);
        }
        this.turns = new Map(floors.map(({ slot }, at) => [slot, stand[at]!.turn]));
        const lower = floors.filter(({ counter }, at) => stand[at]!.counter < counter);
        for (const { slot } of floors) this.level.add(slot);
        for (const { slot } of lower) this.level.delete(slot);
        if (lower.length > 0) {
          this.notBefore = clock.now() + LOOK_AGAIN_MS;
          telemetry.event('info', 'record.floors_lower', { slots: lower.length });
        }
        done(lower);
      },
    );
    return true;
  }

  /** All owners have passed the floors. The next check shows whether they took effect. */
  bring(view: SlotView, floors: readonly SlotFloor[]): void {
    const { systemOfRecord } = this.parts;
    const raised = floors.flatMap((floor) => {
      const turn = this.turns.get(floor.slot);
      return turn === undefined ? [] : [{ ...floor, turn }];
    });
    if (driveOf(view.topology) !== this.drive || raised.length === 0) return;
    systemOfRecord.raiseFloors(view.topology.life, raised, () => undefined);
  }

  private unseen(view: SlotView): SlotFloor[] {
    const { mutations } = this.parts;
    const { floors } = this.parts.floors;
    const drive = driveOf(view.topology);
    if (drive !== this.drive) this.level.clear();
    this.drive = drive;
    const found: SlotFloor[] = [];
    for (let slot = 0; slot < SLOT_COUNT && found.length < COLLECTION_DELETIONS_MAX; slot += 1) {
      const counter = floors.of(slot);
      if (counter === 0 || this.level.has(slot)) continue;
      if (view.row(slot).first === view.selfId && mayForget(view, slot, mutations))
        found.push({ slot, counter });
    }
    return found;
  }
}
