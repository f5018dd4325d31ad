/**
 * Forgets deletions in the background, a bounded number at a time: finds old ones, has all owners raise the floors of
 * their slots, removes the rows in PostgreSQL, then tells the owners what to remove. What could not be forgotten now is
 * found again later; an owner that was not told keeps its deletions, and handles them itself in its turn. (PROTOCOL
 * R22, decision 13)
 */
import { Collection, mayForget } from '../../core/upkeep/collection.ts';
import type { Deletion, Removal } from '../../core/upkeep/collection.ts';
import type { CollectionMessage } from '../../core/upkeep/collection-message.ts';
import type { SlotFloor } from '../../core/upkeep/floors.ts';
import {
  COLLECTION_DELETIONS_MAX,
  COLLECTION_EVERY_MS,
  COLLECTION_PATIENCE_MS,
  FORGET_DELETIONS_MAX,
  RESEND_AFTER_MS,
} from '../../core/limits.ts';
import type { PeerMessage } from '../../core/message.ts';
import { SINCE, protocolInForce } from '../../core/membership/protocol-versions.ts';
import type { SlotView } from '../../core/replication/slot-view.ts';
import type { RowVersion, SystemOfRecord } from '../../ports/system-of-record.ts';
import { FloorAgreement } from './floor-agreement.ts';
import { FloorLevels } from './floor-levels.ts';
import { Forgetting } from './forgetting.ts';
import type { ForgettingParts } from './forgetting.ts';
import { RowRemover } from './row-remover.ts';
import { TombstoneWalk } from './tombstone-walk.ts';
import type { TombstoneWalkParts } from './tombstone-walk.ts';
import type { TombstoneStatus } from '../status.ts';

export interface TombstoneCollectorParts extends ForgettingParts, Omit<TombstoneWalkParts, 'isUnderWay'> {
  /** Null if there are no rows. */
  readonly systemOfRecord: SystemOfRecord | null;
  readonly isRouted: (key: string) => boolean;
  /** Some records of this node wait to be brought into PostgreSQL. */
  readonly isSpooling: () => boolean;
  readonly leaseHeld: () => boolean;
  readonly send: (memberId: number, message: PeerMessage) => void;
  /** The legacy source may bring back what was deleted, so every deletion is kept. (DESIGN 1, promise 5) */
  readonly keepsAll: boolean;
}

export class TombstoneCollector {
  private readonly parts: TombstoneCollectorParts;
  private readonly forgetting: Forgetting;
  private readonly agreement: FloorAgreement;
  private readonly walk: TombstoneWalk;
  private readonly rows: RowRemover | null;
  private readonly levels: FloorLevels | null;
  /** Slots with rows waiting to be removed. */
  private readonly rowSlots = new Set<number>();
  /** Rows of deletions that no owner has, as a scrubber found them. */
  private debris: Deletion[] = [];
  private debrisRemoved = 0;
  private current: Collection | null = null;
  private looking = false;
  private notBefore = -Infinity;
  private askedAt = 0;
  private giveUpAt = 0;
  private roundNext = 1;

  constructor(parts: TombstoneCollectorParts) {
    this.parts = parts;
    this.forgetting = new Forgetting(parts);
    this.agreement = new FloorAgreement({
      ...parts,
      ask: (collection, view) => this.ask(collection, view),
      nextRound: () => this.nextRound(),
    });
    const { systemOfRecord } = parts;
    this.rows = systemOfRecord === null ? null : new RowRemover({ ...parts, systemOfRecord });
    this.levels = systemOfRecord === null ? null : new FloorLevels({ ...parts, systemOfRecord });
    const isUnderWay = (key: string): boolean => this.rows?.has(key) === true;
    this.walk = new TombstoneWalk({ ...parts, isUnderWay });
  }

  status(): TombstoneStatus {
    return {
      held: this.parts.shelf.tombstones.held,
      forgotten: this.forgetting.count,
      rowsWaiting: this.rows?.waiting ?? 0,
      rowsRemoved: this.rows?.removed ?? 0,
      debrisRemoved: this.debrisRemoved,
    };
  }

  /** Debris beyond the limit is found again. */
  takeDebris(slot: number, { key, version }: RowVersion): void {
    const { keepsAll } = this.parts;
    if (keepsAll || this.rows === null || this.debris.length >= COLLECTION_DELETIONS_MAX) return;
    if (this.rows.has(key) || this.debris.some((each) => each.key === key)) return;
    this.debris.push({ slot, key, version, isDebris: true });
  }

  /** A replica acts in a new epoch: confirmations of the previous one do not count. */
  onEpoch(): void {
    this.forgetting.onEpoch();
    this.agreement.onEpoch();
    this.giveUp();
    for (const slot of this.rowSlots) this.walk.again(slot);
    this.rowSlots.clear();
    this.rows?.clear();
  }

  /** A conditional write waits until every owner of the slot has passed this node's floor. */
  agreeFloor(slot: number): void {
    this.agreement.want(slot);
  }

  tick(): void {
    this.agreement.tick();
    const { clock, leaseHeld, keepsAll, replica } = this.parts;
    const now = clock.now();
    if (leaseHeld()) this.rows?.tick();
    if (this.current !== null) return this.pursue(this.current, now);
    if (this.looking || now < this.notBefore || !leaseHeld()) return;
    const view = replica()?.view;
    if (view === undefined || this.looksAtLevels(view) || keepsAll || this.rows?.isFull === true) return;
    const debris = this.debris.filter(({ slot }) => mayForget(view, slot, this.parts.mutations));
    this.debris = [];
    if (debris.length > 0) return this.begin(view, debris);
    this.notBefore = now + COLLECTION_EVERY_MS;
    this.looking = this.walk.look(view, (found) => {
      this.looking = false;
      if (found.length > 0) this.begin(view, found);
    });
  }

  onMessage(from: number, message: CollectionMessage): void {
    switch (message.kind) {
      case 'floorRaise':
        return this.forgetting.raise(message, (slots) =>
          this.parts.send(from, { kind: 'floorRaised', round: message.round, slots }),
        );
      case 'floorRaised':
        return this.onRaised(from, message.round, message.slots);
      case 'deletionsForget':
        return this.forgetting.forget(message);
    }
  }

  private looksAtLevels(view: SlotView): boolean {
    this.looking =
      this.levels?.look(view, (lower) => {
        this.looking = false;
        if (lower.length > 0) this.begin(view, [], lower);
      }) === true;
    return this.looking;
  }

  private begin(view: SlotView, found: readonly Deletion[], floors: readonly SlotFloor[] = []): void {
    const now = this.parts.clock.now();
    this.current = new Collection(this.nextRound(), view, found, floors);
    this.giveUpAt = now + COLLECTION_PATIENCE_MS;
    this.askedAt = now;
    this.ask(this.current, view);
  }

  private nextRound(): number {
    const round = this.roundNext;
    this.roundNext = round === 0xffffffff ? 1 : round + 1;
    return round;
  }

  private pursue(collection: Collection, now: number): void {
    const view = this.parts.replica()?.view;
    if (view === undefined || view.topology.epoch !== collection.epoch || now >= this.giveUpAt)
      return this.giveUp();
    if (now - this.askedAt < RESEND_AFTER_MS) return;
    this.askedAt = now;
    this.ask(collection, view);
  }

  /** Asks every member that has not confirmed. */
  private ask(collection: Collection, view: SlotView): void {
    const { round } = collection;
    for (const [member, floors] of collection.questions()) {
      if (member !== view.selfId) this.parts.send(member, { kind: 'floorRaise', round, floors });
      else this.forgetting.raise({ floors }, (slots) => this.onRaised(member, round, slots));
    }
  }

  private onRaised(from: number, round: number, slots: readonly number[]): void {
    const { current } = this;
    const view = this.parts.replica()?.view;
    if (current?.round !== round) return this.agreement.onRaised(from, round, slots);
    if (view?.topology.epoch !== current.epoch) return;
    current.raised(from, slots);
    const ready = current.takeReady();
    if (ready.floors.length > 0) this.raised(view, ready);
    if (current.isOver) this.current = null;
  }

  private raised(view: SlotView, ready: Removal): void {
    this.tellAgreed(view, ready.floors);
    // A member that speaks an earlier version commits without checking PostgreSQL's floors: as long as there is one,
    // every row stays. (decision 19)
    const isGuarded = protocolInForce(view.topology) >= SINCE.rowFloors;
    if (ready.deletions.length > 0) this.removeRows(view, ready, isGuarded);
    else if (isGuarded && !this.parts.isSpooling()) this.levels?.bring(view, ready.floors);
  }

  /** Conditional writes at each owner wait for this, and removing rows takes a while. */
  private tellAgreed(view: SlotView, floors: readonly SlotFloor[]): void {
    for (const [member, owned] of ownersOf(view, floors))
      if (member === view.selfId) this.forgetting.agreed(owned);
      else this.parts.send(member, { kind: 'deletionsForget', floors: owned, deletions: [] });
  }

  /** Rows first: if a node dies in between, the deletion is found again and the process starts over. */
  private removeRows(view: SlotView, ready: Removal, isGuarded: boolean): void {
    const { isRouted, isSpooling } = this.parts;
    const { rows } = this;
    const isRow = ({ key }: Deletion): boolean => rows !== null && isGuarded && isRouted(key);
    const unwritten = ready.deletions.filter((each) => !isRow(each) && each.isDebris !== true);
    if (unwritten.length > 0) this.forget(view, { ...ready, deletions: unwritten });
    const deletions = ready.deletions.filter(isRow);
    if (rows === null || deletions.length === 0) return;
    const slots = new Set(deletions.map(({ slot }) => slot));
    // A floor in PostgreSQL asserts that it has everything at rest below: leftovers elsewhere below it are discarded.
    // (R28)
    if (isSpooling()) return slots.forEach((slot) => this.walk.again(slot));
    const floors = ready.floors.filter(({ slot }) => slots.has(slot));
    for (const slot of slots) this.rowSlots.add(slot);
    rows.add(view.topology.life, { floors, deletions }, (gone, kept) => {
      for (const { slot, isDebris } of kept) if (isDebris !== true) this.walk.again(slot);
      const held = gone.filter(({ isDebris }) => isDebris !== true);
      this.debrisRemoved += gone.length - held.length;
      if (held.length > 0) this.forget(view, { floors, deletions: held });
      if (rows.waiting === 0) this.rowSlots.clear();
    });
  }

  private forget(view: SlotView, ready: Removal): void {
    for (const [member, floors] of ownersOf(view, ready.floors)) {
      const deletions = ready.deletions.filter(({ slot }) => view.row(slot).owners.includes(member));
      for (let at = 0; at < deletions.length; at += FORGET_DELETIONS_MAX) {
        const part = { floors, deletions: deletions.slice(at, at + FORGET_DELETIONS_MAX) };
        if (member === view.selfId) this.forgetting.forget(part);
        else this.parts.send(member, { kind: 'deletionsForget', ...part });
      }
    }
  }

  private giveUp(): void {
    for (const slot of this.current?.slots ?? []) this.walk.again(slot);
    this.current = null;
  }
}

/** What each owner must be told. */
function ownersOf(view: SlotView, floors: readonly SlotFloor[]): Map<number, SlotFloor[]> {
  const owned = new Map<number, SlotFloor[]>();
  for (const floor of floors) {
    for (const member of view.row(floor.slot).owners) {
      const known = owned.get(member);
      if (known === undefined) owned.set(member, [floor]);
      else known.push(floor);
    }
  }
  return owned;
}
