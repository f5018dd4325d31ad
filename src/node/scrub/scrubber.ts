/**
 * Continually goes through all slots that this node owns, in the background: reads back what is on disk, and compares
 * it with what the other owners have. A run of slots is processed within one epoch, or started again. Findings are
 * reported, and repaired where possible. (DESIGN 5, decision 16)
 */
import { SCRUB_RUN_SLOTS, SCRUB_YIELD_KEYS, SLOT_COUNT } from '../../core/limits.ts';
import type { PeerMessage, RepairRecord } from '../../core/message.ts';
import type { ScrubMessage } from '../../core/upkeep/scrub-message.ts';
import type { Mutations } from '../../core/mutations.ts';
import type { Replica } from '../../core/replication/replica.ts';
import { ScrubPace } from '../../core/upkeep/scrub.ts';
import type { ScrubRate } from '../../core/upkeep/scrub.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Storage } from '../../ports/storage.ts';
import type { RowVersion, SystemOfRecord } from '../../ports/system-of-record.ts';
import type { Telemetry } from '../../ports/telemetry.ts';
import type { ScrubStatus } from '../status.ts';
import type { FloorStore } from '../store/floor-store.ts';
import type { RecordShelf } from '../store/record-shelf.ts';
import type { Repair } from './repair.ts';
import { ScrubAnswers } from './answers.ts';
import { ScrubPeers } from './peers.ts';
import { ScrubReport } from './report.ts';
import { ScrubRows } from './rows.ts';
import type { ScrubRun, ScrubStage } from './stage.ts';
import { ScrubWalk } from './walk.ts';

export interface ScrubSettings extends ScrubRate {
  /** Milliseconds from the end of a round to the start of the next; 0 if rounds are only run on request. */
  readonly pauseMs: number;
}

export interface ScrubberParts {
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly storage: Storage;
  readonly shelf: RecordShelf;
  readonly repair: Repair;
  readonly floors: FloorStore;
  readonly settings: ScrubSettings;
  /** Null if there is none to compare with. */
  readonly systemOfRecord: SystemOfRecord | null;
  readonly writesThrough: (key: string) => boolean;
  readonly onDebris: (slot: number, row: RowVersion) => void;
  readonly onLoss: () => void;
  /** False if this disk may be behind, so that what it has proves nothing yet. */
  readonly mayTell: () => boolean;
  readonly replica: () => Replica | null;
  readonly leaseHeld: () => boolean;
  /** Start of the lease that is held: at that time no later epoch was in force. */
  readonly leaseFrom: () => number;
  readonly send: (memberId: number, message: PeerMessage) => void;
  readonly mutations: Mutations;
}

export class Scrubber {
  private readonly parts: ScrubberParts;
  private readonly pace: ScrubPace;
  private readonly report: ScrubReport;
  private readonly peers: ScrubPeers;
  private readonly answers: ScrubAnswers;
  private readonly stages: readonly ScrubStage[];
  private stage = 0;
  private run: ScrubRun | null = null;
  /** Number of the round under way, or of the previous one. */
  private number = 0;
  /** The slot at which the round continues; SLOT_COUNT when all runs are done. */
  private slotNext = SLOT_COUNT;
  private isUnderWay = false;
  private nextAt: number;

  constructor(parts: ScrubberParts) {
    this.parts = parts;
    const { clock, telemetry, storage, shelf, repair, settings, replica, send, mutations } = parts;
    this.pace = new ScrubPace(settings, clock.now());
    this.report = new ScrubReport({ clock, telemetry, shelf, replica });
    const isBusy = (): boolean => (replica()?.keysInFlight ?? 0) >= SCRUB_YIELD_KEYS;
    const common = { clock, shelf, report: this.report, budget: { pace: this.pace, isBusy } };
    const floorOf = (slot: number): number => parts.floors.floors.of(slot);
    this.peers = new ScrubPeers({
      ...common,
      send,
      floorOf,
      fenceOf: (slot) => parts.floors.floors.fenceOf(slot),
      overwriting: mutations.scrubOverwritesInFlight === true,
    });
    this.answers = new ScrubAnswers({ storage, shelf, replica, send });
    const trusting = mutations.scrubTrustsKeptDigest === true;
    const { systemOfRecord, writesThrough, leaseFrom, onDebris, onLoss } = parts;
    const trustingRows = mutations.scrubTrustsRow === true;
    const rowParts = { ...common, storage, writesThrough, leaseFrom, floorOf, onDebris, onLoss };
    const walk = new ScrubWalk({ ...common, storage, repair, trusting });
    const rows =
      systemOfRecord === null ? [] : [new ScrubRows({ ...rowParts, systemOfRecord, trusting: trustingRows })];
    this.stages = [walk, this.peers, ...rows];
    this.nextAt = settings.pauseMs === 0 ? Infinity : clock.now() + settings.pauseMs;
  }

  /** Starts a round now, at this rate, and returns its number. A round under way is started again. */
  order(rate: ScrubRate): number {
    this.begin(rate);
    return this.number;
  }

  status(): ScrubStatus {
    return this.report.status(this.nextAt);
  }

  /** Every few ticks. */
  tick(): void {
    this.report.tick();
    const now = this.parts.clock.now();
    const replica = this.parts.replica();
    if (replica === null || !this.parts.leaseHeld() || !this.parts.mayTell()) return;
    if (!this.isUnderWay && now >= this.nextAt) this.begin(this.parts.settings);
    if (!this.isUnderWay) return;
    // Findings of another epoch are not acted upon in this one.
    if (this.run !== null && this.run.view !== replica.view) this.beginRun(replica);
    if (this.run !== null) return this.stages[this.stage]!.tick(now);
    if (this.slotNext < SLOT_COUNT) return this.beginRun(replica);
    if (this.report.open > 0) return;
    this.isUnderWay = false;
    this.report.ended();
    const { pauseMs } = this.parts.settings;
    this.nextAt = pauseMs === 0 ? Infinity : now + pauseMs;
  }

  onMessage(from: number, message: ScrubMessage): void {
    if (!this.parts.mayTell()) return;
    switch (message.kind) {
      case 'scrubDigests':
        return this.answers.onDigests(from, message);
      case 'scrubPull':
        return this.answers.onPull(from, message);
      case 'scrubDifferences':
        return this.peers.onDifferences(from, message);
      case 'scrubPage':
        return this.peers.onPage(from, message);
    }
  }

  /** Returns false if the record was not requested here. */
  onRecord(message: RepairRecord): boolean {
    return this.peers.onRecord(message);
  }

  private begin(rate: ScrubRate): void {
    this.pace.setRate(rate, this.parts.clock.now());
    this.number += 1;
    this.slotNext = 0;
    this.stop();
    this.isUnderWay = true;
    this.report.begun(this.number);
  }

  private beginRun(replica: Replica): void {
    this.stop();
    const first = this.slotNext;
    const end = Math.min(first + SCRUB_RUN_SLOTS, SLOT_COUNT);
    this.run = { view: replica.view, replica, first, end };
    this.beginStage(0);
  }

  private stop(): void {
    this.run = null;
    for (const stage of this.stages) stage.stop();
  }

  private beginStage(stage: number): void {
    const { run } = this;
    this.stage = stage;
    this.stages[stage]!.begin(run!, () => {
      if (this.run !== run) return;
      if (stage + 1 < this.stages.length) return this.beginStage(stage + 1);
      this.slotNext = run!.end;
      this.run = null;
    });
  }
}
