/**
 * After PostgreSQL has failed over or was restored, compares it with every slot of which this node is the first owner,
 * and reports when all are done. What this process has done counts for the whole drive, whoever owns the slot later;
 * what another process has done is done again, which costs only a comparison. (PROTOCOL R30)
 */
import { IndexSet } from '../../base/index-set.ts';
import { CopyPace } from '../../core/copying/copy-pace.ts';
import { DRIVE_BYTES_PER_SECOND_MAX, DRIVE_SLOTS_IN_FLIGHT_MAX, SLOT_COUNT } from '../../core/limits.ts';
import type { Mutations } from '../../core/mutations.ts';
import { knowsFloor } from '../../core/system-of-record/record-floors.ts';
import { driveOf, everythingDriven } from '../../core/system-of-record/record-standing.ts';
import type { Replica } from '../../core/replication/replica.ts';
import type { Topology } from '../../core/membership/topology.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Storage } from '../../ports/storage.ts';
import type { SystemOfRecord } from '../../ports/system-of-record.ts';
import type { Telemetry } from '../../ports/telemetry.ts';
import type { OwnerInquiry } from '../recovery/owner-inquiry.ts';
import type { RecordShelf } from '../store/record-shelf.ts';
import { SlotDrive } from './slot-drive.ts';
import type { DriveStatus } from '../status.ts';

/** Milliseconds before a slot is visited again in which something was in flight, or after a failure. */
const AGAIN_AFTER_MS = 100;
const FAILED_AFTER_MS = 500;
/** Milliseconds before a slot is visited again for which PostgreSQL refused some rows. */
const REFUSED_AFTER_MS = 2_000;
/** Milliseconds between two reports of refused rows: every slot may have some, if somebody has locked all rows. */
const REFUSED_SAID_EVERY_MS = 30_000;
/** Milliseconds after which the report that all is done is repeated: a link may have lost it. */
const SAY_AGAIN_MS = 250;

export interface RecordDriverParts {
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly storage: Storage;
  readonly systemOfRecord: SystemOfRecord;
  readonly shelf: RecordShelf;
  readonly replica: () => Replica | null;
  readonly leaseHeld: () => boolean;
  readonly writesThrough: (key: string) => boolean;
  readonly floorOf: (slot: number) => number;
  readonly inquiry: OwnerInquiry;
  /** All slots of which this node is the first owner in this epoch are done: must be told to all members. */
  readonly onDriven: (drive: number, topology: Topology) => void;
  readonly mutations: Mutations;
}

export class RecordDriver {
  private readonly parts: RecordDriverParts;
  private readonly pace: CopyPace;
  private replica: Replica | null = null;
  private topology: Topology | null = null;
  private drive = 0;
  private readonly done = new IndexSet(SLOT_COUNT);
  private readonly waits = new Map<number, Map<string, number>>();
  private readonly held = new Map<number, Set<string>>();
  /**
   * Slots that are driven except for rows that PostgreSQL refuses, with the monotonic ms at which they are visited
   * again.
   */
  private readonly refused = new Map<number, number>();
  /** Floors reported by PostgreSQL in this drive when they kept something out. */
  private readonly pastFloors = new Map<number, number>();
  private todo: number[] = [];
  private readonly under = new Map<number, SlotDrive>();
  private notBefore = -Infinity;
  private saidAt = -Infinity;
  private refusalSaidAt = -Infinity;
  private rowsDriven = 0;
  private conflicts = 0;

  constructor(parts: RecordDriverParts) {
    this.parts = parts;
    this.pace = new CopyPace(DRIVE_BYTES_PER_SECOND_MAX, parts.clock.now());
  }

  status(): DriveStatus {
    const { slotsDone, slotsTotal, bytesPerSecond, secondsLeft } = this.pace.status(this.parts.clock.now());
    const isDriven = this.topology === null || everythingDriven(this.topology);
    const { drive, rowsDriven, conflicts } = this;
    return { drive, isDriven, slotsDone, slotsTotal, bytesPerSecond, secondsLeft, rowsDriven, conflicts };
  }

  /** Every few ticks, while this process is part of the epoch. */
  tick(): void {
    const replica = this.parts.replica();
    if (replica === null) return;
    const { topology } = replica.view;
    if (replica !== this.replica || driveOf(topology) !== this.drive)
      this.restart(replica, driveOf(topology));
    if (topology !== this.topology) this.findSlots(replica, topology);
    if (everythingDriven(topology) || !this.parts.leaseHeld()) return;
    const now = this.parts.clock.now();
    if (this.left === 0) return this.tell(now);
    this.takeUpRefused(now);
    if (this.pace.mayAsk(now)) for (const each of [...this.under.values()]) each.goOn();
    if (now >= this.notBefore) this.begin(replica, topology);
  }

  private restart(replica: Replica, drive: number): void {
    this.replica = replica;
    this.drive = drive;
    this.topology = null;
    this.done.clear();
    this.waits.clear();
    this.held.clear();
    this.pastFloors.clear();
    this.rowsDriven = 0;
    this.conflicts = 0;
    this.refusalSaidAt = -Infinity;
    this.pace.progress(0, this.parts.clock.now());
  }

  /** What is under way starts again, because the slots may now be another node's task. */
  private findSlots(replica: Replica, topology: Topology): void {
    const { shelf, mutations, telemetry, clock } = this.parts;
    this.topology = topology;
    this.under.clear();
    this.refused.clear();
    this.todo = [];
    this.saidAt = -Infinity;
    if (everythingDriven(topology)) {
      this.waits.clear();
      return this.pace.progress(0, clock.now());
    }
    if (mutations.keepQuietAfterFailover === true) return;
    const { rows, selfId } = replica.view;
    const isOurs = rows.map((row) => row.owns && row.first === selfId);
    for (let slot = 0; slot < SLOT_COUNT; slot += 1) {
      if (!isOurs[topology.slotRow[slot]!]! || this.done.has(slot)) continue;
      if (shelf.digests.countOf(slot) > 0 || this.parts.floorOf(slot) > 0) this.todo.push(slot);
      else this.done.add(slot);
    }
    this.pace.progress(this.left, clock.now());
    telemetry.event('info', 'record.drive', { drive: this.drive, epoch: topology.epoch, slots: this.left });
  }

  private get left(): number {
    return this.todo.length + this.under.size + this.refused.size;
  }

  private begin(replica: Replica, topology: Topology): void {
    while (this.under.size < DRIVE_SLOTS_IN_FLIGHT_MAX && this.todo.length > 0) {
      if (!this.pace.mayAsk(this.parts.clock.now())) return;
      const slot = this.todo.shift()!;
      const { storage, systemOfRecord, shelf, inquiry, writesThrough, mutations, clock } = this.parts;
      const waits = this.waits.get(slot) ?? new Map<string, number>();
      this.waits.set(slot, waits);
      const held = this.held.get(slot) ?? new Set<string>();
      this.held.set(slot, held);
      const drive: SlotDrive = new SlotDrive({
        ...{ slot, storage, systemOfRecord, shelf, inquiry, replica, writesThrough, waits, held },
        life: topology.life,
        floor: topology.loaded ? this.parts.floorOf(slot) : 0,
        pastFloor: this.pastFloors.get(slot) ?? 0,
        deleteUnasked: mutations.deleteUnasked === true,
        passInFlight: mutations.passInFlight === true,
        // Checks the replica's view too, because the epoch may change before the next tick.
        isCurrent: () => this.under.get(slot) === drive && replica.view.topology === topology,
        spent: (recordCount, byteCount) => {
          this.pace.arrived(recordCount, byteCount, clock.now());
          return this.pace.mayAsk(clock.now());
        },
        onDriven: (rowCount) => (this.rowsDriven += rowCount),
        onConflict: (version) => this.onConflict(slot, version),
        onKeptOut: (floor, version) => this.onKeptOut(slot, floor, version),
        onEnd: (end, reason) => this.onEnd(slot, end, reason),
      });
      this.under.set(slot, drive);
      drive.begin();
    }
  }

  private onEnd(slot: number, end: 'done' | 'again' | 'failed' | 'refused', reason: string): void {
    const { clock, telemetry } = this.parts;
    const now = clock.now();
    this.under.delete(slot);
    if (end === 'done') {
      this.done.add(slot);
      this.waits.delete(slot);
      this.held.delete(slot);
      this.pace.progress(this.left, now);
      // Each slot takes at least one turn, so that clients' requests come in between.
      return clock.defer(() => this.goOn());
    }
    if (end === 'refused') {
      this.refused.set(slot, now + REFUSED_AFTER_MS);
      this.tellRefusal(slot, reason, now);
      return clock.defer(() => this.goOn());
    }
    this.todo.push(slot);
    if (end === 'failed' && now >= this.notBefore) telemetry.event('warn', 'record.drive_paused', { reason });
    if (end === 'failed') this.notBefore = now + FAILED_AFTER_MS;
    else if (this.under.size === 0) this.notBefore = Math.max(this.notBefore, now + AGAIN_AFTER_MS);
  }

  private tellRefusal(slot: number, reason: string, now: number): void {
    if (now - this.refusalSaidAt < REFUSED_SAID_EVERY_MS) return;
    this.refusalSaidAt = now;
    this.parts.telemetry.event('warn', 'record.drive_refused', { slot, slots: this.refused.size, reason });
  }

  private takeUpRefused(now: number): void {
    for (const [slot, notBefore] of this.refused) {
      if (now < notBefore) continue;
      this.refused.delete(slot);
      this.todo.push(slot);
    }
  }

  private goOn(): void {
    const { replica, topology } = this;
    if (replica === null || topology === null || replica.view.topology !== topology) return;
    if (this.parts.clock.now() >= this.notBefore && this.parts.leaseHeld()) this.begin(replica, topology);
  }

  /** An owner whose disk is behind writes nothing back past that floor. */
  private onKeptOut(slot: number, told: number, version: number): boolean {
    const { floorOf, telemetry, mutations } = this.parts;
    if (mutations.trustOldFloor !== true && !knowsFloor({ own: floorOf(slot), told })) {
      telemetry.event('error', 'record.left_below', { slot, version, floor: told });
      return false;
    }
    this.pastFloors.set(slot, told);
    return true;
  }

  private onConflict(slot: number, version: number): void {
    this.conflicts += 1;
    this.parts.telemetry.event('error', 'record.checksum_conflict', { slot, version });
  }

  private tell(now: number): void {
    if (now - this.saidAt < SAY_AGAIN_MS) return;
    if (this.saidAt === -Infinity) {
      const { drive, rowsDriven: rows, conflicts } = this;
      this.parts.telemetry.event('info', 'record.driven', { drive, rows, conflicts });
    }
    this.saidAt = now;
    this.parts.onDriven(this.drive, this.topology!);
  }
}
