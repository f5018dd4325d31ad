/**
 * Fetches records that fail their checksum on this disk from another owner, at the same or a higher version, and if no
 * owner can help, from PostgreSQL. Until then they count neither as absent nor as what they were before. Whatever code
 * meets a damaged record reports it here, and its write or round is retried later by itself. (PROTOCOL R10)
 */
import type { RepairAbsent } from '../../core/upkeep/collection-message.ts';
import type { HeldRecord, PeerMessage, RepairPull, RepairRecord } from '../../core/message.ts';
import type { Mutations } from '../../core/mutations.ts';
import { heldAtRest, heldRecordOf, isUnstored } from '../../core/replication/follow.ts';
import type { Replica } from '../../core/replication/replica.ts';
import type { SealedRecord } from '../../core/record.ts';
import { mayStandIn } from '../../core/upkeep/scrub.ts';
import { slotOf } from '../../core/placement/slots.ts';
import type { Clock } from '../../ports/clock.ts';
import type { SystemOfRecord } from '../../ports/system-of-record.ts';
import type { Telemetry } from '../../ports/telemetry.ts';
import { sealRecord } from '../../wire/record-codec.ts';
import type { RecordShelf } from '../store/record-shelf.ts';

/** Records under repair at a time; others are reported again when they are met again. */
const REPAIRS_MAX = 1_000;
/** Milliseconds without an answer after which the next owner is asked; doubled each time. */
const ANSWER_TIMEOUT_MS_MIN = 200;
const ANSWER_TIMEOUT_MS_MAX = 5_000;

export interface RepairParts {
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly shelf: RecordShelf;
  readonly systemOfRecord: SystemOfRecord | null;
  readonly replica: () => Replica | null;
  readonly send: (memberId: number, message: PeerMessage) => void;
  readonly mutations: Mutations;
}

interface Pending {
  readonly slot: number;
  turn: number;
  /** Owners that hold nothing for the key. */
  readonly absentAt: Set<number>;
  /** PostgreSQL has been asked and has not answered. */
  isAskingRecord: boolean;
  timeoutMs: number;
  /** Monotonic ms at which the next owner is asked. */
  dueAt: number;
}

export class Repair {
  private readonly parts: RepairParts;
  private readonly pending = new Map<string, Pending>();

  constructor(parts: RepairParts) {
    this.parts = parts;
  }

  noticed(slot: number, key: string): void {
    if (this.pending.has(key) || this.pending.size >= REPAIRS_MAX) return;
    this.parts.telemetry.event('error', 'store.record_damaged', { slot });
    this.parts.telemetry.count('store.records_damaged');
    const pending: Pending = {
      ...{ slot, turn: 0, absentAt: new Set(), isAskingRecord: false },
      ...{ timeoutMs: ANSWER_TIMEOUT_MS_MIN, dueAt: 0 },
    };
    this.pending.set(key, pending);
    this.ask(key, pending);
  }

  tick(): void {
    const now = this.parts.clock.now();
    for (const [key, pending] of this.pending) if (pending.dueAt <= now) this.ask(key, pending);
  }

  private ask(key: string, pending: Pending): void {
    const view = this.parts.replica()?.view;
    // If this node no longer owns the slot, learning will replace the record should the slot come back.
    if (view === undefined || !view.row(pending.slot).owns || !this.isDamaged(pending.slot, key)) {
      this.pending.delete(key);
      return;
    }
    pending.dueAt = this.parts.clock.now() + pending.timeoutMs;
    pending.timeoutMs = Math.min(pending.timeoutMs * 2, ANSWER_TIMEOUT_MS_MAX);
    const others = view.row(pending.slot).owners.filter((id) => id !== view.selfId);
    if (pending.turn >= others.length) this.askRecord(key, pending);
    if (others.length === 0) return;
    const target = others[pending.turn % others.length]!;
    pending.turn += 1;
    this.parts.send(target, { kind: 'repairPull', key });
  }

  /**
   * None of the other owners could help, or there is none: a row that is no older than the damaged record replaces it.
   */
  private askRecord(key: string, pending: Pending): void {
    const { systemOfRecord, telemetry } = this.parts;
    if (systemOfRecord === null || pending.isAskingRecord) return;
    pending.isAskingRecord = true;
    systemOfRecord.read([key], (error, [row]) => {
      pending.isAskingRecord = false;
      if (error !== null || row === undefined || this.pending.get(key) !== pending) return;
      const sealed = sealRecord(row.record);
      if (sealed.checksum !== row.checksum)
        return telemetry.event('error', 'record.row_damaged', { version: row.record.version });
      this.onRow(pending.slot, sealed);
    });
  }

  /** The other owners may be damaged too, so the row is replicated like a replay, under its own version. */
  private onRow(slot: number, sealed: SealedRecord): void {
    const { key, version } = sealed.record;
    const replica = this.parts.replica();
    if (replica === null || !replica.view.row(slot).owns) return;
    const claimed = this.parts.shelf.claimed(key, slot);
    if (claimed === null || !mayStandIn({ version, checksum: sealed.checksum }, claimed)) return;
    this.pending.delete(key);
    replica.repair(slot, { ...heldAtRest(sealed), valid: false });
    this.parts.telemetry.event('info', 'store.record_repaired', { slot });
    this.parts.telemetry.count('store.records_repaired');
  }

  private isDamaged(slot: number, key: string): boolean {
    return this.parts.shelf.read(key, slot) === 'damaged';
  }

  /** The other side: a complete owner reports what it holds, and whether it is in flight; nothing if it cannot tell. */
  onPull(from: number, message: RepairPull): void {
    const { key } = message;
    const slot = slotOf(key);
    const replica = this.parts.replica();
    if (replica === null || !replica.view.row(slot).owns) return;
    const state = replica.stateOf(key);
    if (state !== undefined) {
      const held = heldRecordOf(state);
      if (held !== null) this.tell(from, held, isUnstored(state), replica);
      return;
    }
    const sealed = this.parts.shelf.load(key, slot);
    if (sealed === 'damaged') return;
    if (sealed === undefined) return this.parts.send(from, { kind: 'repairAbsent', key });
    this.parts.send(from, { kind: 'repairRecord', held: heldAtRest(sealed) });
  }

  private tell(from: number, held: HeldRecord, unstored: boolean, { view }: Replica): void {
    const send = (): void => this.parts.send(from, { kind: 'repairRecord', held });
    if (!unstored || this.parts.mutations.tellUnstored === true) return send();
    this.parts.shelf.whenStored(() => (this.parts.replica()?.view === view ? send() : undefined));
  }

  /**
   * A record at rest was valid, so every complete owner of this epoch holds its version or a higher one: what any of
   * them reports may replace it.
   */
  onRecord(message: RepairRecord): void {
    const { held } = message;
    const { key } = held.sealed.record;
    const pending = this.pending.get(key);
    const replica = this.parts.replica();
    if (pending === undefined || replica === null || !replica.view.row(pending.slot).owns) return;
    this.pending.delete(key);
    if (!this.isDamaged(pending.slot, key)) return;
    replica.repair(pending.slot, held);
    this.repaired(pending.slot);
  }

  /**
   * No other owner has anything: the key's deletion was forgotten there, and not yet here. The damaged record is
   * discarded. (R22)
   */
  onAbsent(from: number, { key }: RepairAbsent): void {
    const pending = this.pending.get(key);
    const replica = this.parts.replica();
    if (pending === undefined || replica === null || !replica.view.row(pending.slot).owns) return;
    pending.absentAt.add(from);
    const { owners } = replica.view.row(pending.slot);
    if (!owners.every((id) => id === replica.view.selfId || pending.absentAt.has(id))) return;
    this.pending.delete(key);
    if (!this.isDamaged(pending.slot, key) || replica.stateOf(key) !== undefined) return;
    this.parts.shelf.replaceAtRest(pending.slot, key, null);
    this.repaired(pending.slot);
  }

  private repaired(slot: number): void {
    this.parts.telemetry.event('info', 'store.record_repaired', { slot });
    this.parts.telemetry.count('store.records_repaired');
  }
}
