/**
 * Reads back what is on this disk: every record must match its checksum, and the content of each slot must match the
 * digest that is updated with every write. If it does not, the disk is believed, so that the comparison with other
 * owners shows what was lost. (PROTOCOL R10)
 */
import { SCRUB_PAGE_BYTES_MAX, SCRUB_PAGE_RECORDS_MAX, SLOT_COUNT } from '../../core/limits.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Storage, StorageEntry } from '../../ports/storage.ts';
import { openRecord } from '../../wire/record-codec.ts';
import { RECORDS_TO, recordKey, slotRange, splitRecordKey } from '../../wire/store-codec.ts';
import type { RecordShelf } from '../store/record-shelf.ts';
import type { Repair } from './repair.ts';
import type { ScrubReport } from './report.ts';
import type { ScrubBudget, ScrubRun, ScrubStage } from './stage.ts';
import { SlotDigests } from '../store/slot-digests.ts';

/** Milliseconds before the disk is read again after a failure. */
const AGAIN_AFTER_MS = 1_000;
/** How often a slot is counted again if it is written to meanwhile; after that the next round has to tell. */
const COUNTS_MAX = 3;

export interface ScrubWalkParts {
  readonly clock: Clock;
  readonly storage: Storage;
  readonly shelf: RecordShelf;
  readonly repair: Repair;
  readonly report: ScrubReport;
  readonly budget: ScrubBudget;
  /** The digests are not checked; for tests of the rule. */
  readonly trusting: boolean;
}

interface Recount {
  readonly slot: number;
  countsLeft: number;
}

export class ScrubWalk implements ScrubStage {
  private readonly parts: ScrubWalkParts;
  private readonly counted = new SlotDigests();
  private run: ScrubRun | null = null;
  private done: () => void = () => undefined;
  private from = '';
  private slotNext = 0;
  private isWalked = false;
  private isReading = false;
  private notBefore = -Infinity;
  private recounts: Recount[] = [];

  constructor(parts: ScrubWalkParts) {
    this.parts = parts;
  }

  begin(run: ScrubRun, done: () => void): void {
    this.run = run;
    this.done = done;
    this.from = recordKey(run.first, '');
    this.slotNext = run.first;
    this.isWalked = false;
    this.isReading = false;
    this.recounts = [];
    for (let slot = run.first; slot < run.end; slot += 1) this.counted.clear(slot);
  }

  stop(): void {
    this.run = null;
  }

  tick(now: number): void {
    const { run } = this;
    const { pace, isBusy } = this.parts.budget;
    if (run === null || this.isReading || now < this.notBefore) return;
    const recount = this.recounts.at(-1);
    if (this.isWalked && recount === undefined) {
      this.run = null;
      return this.done();
    }
    if (!pace.mayGo(now, isBusy())) return;
    if (!this.isWalked) this.readPage(run);
    else this.recount(run, recount!);
  }

  private readPage(run: ScrubRun): void {
    const end = run.end === SLOT_COUNT ? RECORDS_TO : recordKey(run.end, '');
    this.scan(run, this.from, end, (entries) => {
      const last = entries.at(-1);
      for (const entry of entries) {
        const { slot, key } = splitRecordKey(entry.key);
        this.closeBefore(run, slot);
        this.look(run, slot, key, entry.value);
      }
      if (last !== undefined) this.from = `${last.key}\u0000`;
      else {
        this.closeBefore(run, run.end);
        this.isWalked = true;
      }
    });
  }

  private look(run: ScrubRun, slot: number, key: string, bytes: Uint8Array): void {
    if (!run.view.row(slot).owns) return;
    const sealed = openRecord(bytes);
    if (sealed?.record.key === key)
      this.counted.add(slot, sealed.record.version, sealed.checksum, sealed.record.tombstone);
    else this.damaged(run, slot, key);
  }

  /** The record may have been rewritten since it was read. */
  private damaged(run: ScrubRun, slot: number, key: string): void {
    const { shelf, report, repair } = this.parts;
    if (run.replica.stateOf(key) !== undefined || shelf.read(key, slot) !== 'damaged') return;
    report.found('damaged', slot, key, 0);
    repair.noticed(slot, key);
  }

  /** All records of the slots before this one have been read. */
  private closeBefore(run: ScrubRun, slotEnd: number): void {
    const { shelf, report, trusting } = this.parts;
    for (; this.slotNext < slotEnd; this.slotNext += 1) {
      const slot = this.slotNext;
      if (trusting || !run.view.row(slot).owns || shelf.digests.isLike(slot, this.counted)) continue;
      this.recounts.push({ slot, countsLeft: COUNTS_MAX });
    }
    report.cameTo(slotEnd);
  }

  /**
   * Counts the slot again, because it may have been written to: everything handed to the store before is on disk when
   * the count begins, and later writes change the stored digest.
   */
  private recount(run: ScrubRun, recount: Recount): void {
    const { shelf, report } = this.parts;
    const { slot } = recount;
    const kept = shelf.digests.of(Uint16Array.of(slot));
    recount.countsLeft -= 1;
    this.isReading = true;
    shelf.whenStored(() => {
      if (this.run !== run) return;
      this.counted.clear(slot);
      this.countOn(run, slot, slotRange(slot).from, () => {
        const isUnchanged = shelf.digests.isEqual(slot, kept, 0);
        if (!isUnchanged && recount.countsLeft > 0) return;
        this.recounts.pop();
        if (!isUnchanged || shelf.digests.isLike(slot, this.counted)) return;
        shelf.digests.correct(slot, this.counted);
        // Otherwise memory would hide what the disk lacks.
        shelf.forgetAllHot();
        report.digestCorrected(slot);
      });
    });
  }

  private countOn(run: ScrubRun, slot: number, from: string, done: () => void): void {
    this.scan(run, from, slotRange(slot).to, (entries) => {
      for (const entry of entries) this.look(run, slot, splitRecordKey(entry.key).key, entry.value);
      const last = entries.at(-1);
      if (last === undefined) done();
      else this.countOn(run, slot, `${last.key}\u0000`, done);
    });
  }

  private scan(
    run: ScrubRun,
    from: string,
    to: string,
    take: (entries: readonly StorageEntry[]) => void,
  ): void {
    const { clock, storage, report, budget } = this.parts;
    this.isReading = true;
    storage.scan(from, to, SCRUB_PAGE_RECORDS_MAX, SCRUB_PAGE_BYTES_MAX, (error, entries) => {
      if (this.run !== run) return;
      this.isReading = false;
      if (error !== null) {
        this.notBefore = clock.now() + AGAIN_AFTER_MS;
        return;
      }
      const bytes = entries.reduce((sum, entry) => sum + entry.value.length, 0);
      budget.pace.spend(entries.length, bytes);
      report.read(entries.length, bytes);
      take(entries);
      // Continues before the next tick if the budget allows.
      if (!this.isReading) this.tick(clock.now());
    });
  }
}
