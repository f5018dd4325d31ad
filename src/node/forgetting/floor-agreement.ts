/**
 * Makes every owner of a slot pass this node's floor when a conditional write waits for that. Abandoned collections, a
 * disk, or a copied source leave floors for which it is unknown how far the other owners are. Waiting writes keep
 * asking. Learners are asked too, for what they will do once they are owners. (PROTOCOL R22, decision 13)
 */
import { Collection } from '../../core/upkeep/collection.ts';
import type { SlotFloor } from '../../core/upkeep/floors.ts';
import { COLLECTION_DELETIONS_MAX, COLLECTION_PATIENCE_MS } from '../../core/limits.ts';
import type { Replica } from '../../core/replication/replica.ts';
import type { SlotView } from '../../core/replication/slot-view.ts';
import type { Clock } from '../../ports/clock.ts';
import type { FloorStore } from '../store/floor-store.ts';

/** Milliseconds before owners are asked again: what was in flight there has usually finished by then. */
const AGAIN_AFTER_MS = 50;

export interface FloorAgreementParts {
  readonly clock: Clock;
  readonly floors: FloorStore;
  readonly replica: () => Replica | null;
  /** Asks every member that has not confirmed; `onRaised` follows. */
  readonly ask: (collection: Collection, view: SlotView) => void;
  /** A number that no other collection of this node has. */
  readonly nextRound: () => number;
}

interface Asked {
  readonly collection: Collection;
  readonly giveUpAt: number;
  askedAt: number;
}

export class FloorAgreement {
  private readonly parts: FloorAgreementParts;
  /** Slots about which nobody has been asked yet. */
  private wanted = new Set<number>();
  /** By collection number. */
  private readonly asked = new Map<number, Asked>();
  /** All slots of these collections. */
  private readonly slots = new Set<number>();
  private isDeferred = false;

  constructor(parts: FloorAgreementParts) {
    this.parts = parts;
  }

  /** The owners are asked in a later turn, together about all slots wanted in this one. */
  want(slot: number): void {
    if (this.wanted.has(slot) || this.slots.has(slot)) return;
    this.wanted.add(slot);
    if (this.isDeferred) return;
    this.isDeferred = true;
    this.parts.clock.defer(() => {
      this.isDeferred = false;
      this.begin();
    });
  }

  /** Every few ticks. */
  tick(): void {
    const now = this.parts.clock.now();
    const view = this.parts.replica()?.view;
    for (const [round, asked] of this.asked) {
      if (view === undefined || now >= asked.giveUpAt) {
        for (const slot of asked.collection.slots) this.slots.delete(slot);
        this.asked.delete(round);
      } else if (now - asked.askedAt >= AGAIN_AFTER_MS) this.ask(asked, view);
    }
  }

  /** A replica acts in a new epoch: confirmations of the previous one do not count. */
  onEpoch(): void {
    this.asked.clear();
    this.slots.clear();
    this.wanted.clear();
  }

  onRaised(from: number, round: number, slots: readonly number[]): void {
    const asked = this.asked.get(round);
    const replica = this.parts.replica();
    if (asked === undefined || replica?.view.topology.epoch !== asked.collection.epoch) return;
    asked.collection.raised(from, slots);
    const { floors } = asked.collection.takeReady();
    for (const { slot } of floors) this.slots.delete(slot);
    if (asked.collection.isOver) this.asked.delete(round);
    if (floors.length > 0) replica.agreeFloors(floors);
  }

  private begin(): void {
    const view = this.parts.replica()?.view;
    if (view === undefined) return this.wanted.clear();
    const floors: SlotFloor[] = [];
    for (const slot of this.wanted) {
      if (floors.length === COLLECTION_DELETIONS_MAX) break;
      this.wanted.delete(slot);
      if (!view.row(slot).owns) continue;
      this.slots.add(slot);
      floors.push({ slot, counter: this.parts.floors.floors.of(slot) });
    }
    if (floors.length === 0) return;
    const now = this.parts.clock.now();
    const collection = new Collection(this.parts.nextRound(), view, [], floors);
    const asked = { collection, giveUpAt: now + COLLECTION_PATIENCE_MS, askedAt: now };
    this.asked.set(collection.round, asked);
    this.ask(asked, view);
    if (this.wanted.size > 0) this.begin();
  }

  private ask(asked: Asked, view: SlotView): void {
    asked.askedAt = this.parts.clock.now();
    this.parts.ask(asked.collection, view);
  }
}
