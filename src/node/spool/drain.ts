/**
 * Brings what PostgreSQL lacks into it once it answers, page by page in the order of slots and keys. Only the highest
 * version of each key counts, and rows are replaced only by higher versions. The slot's first owner drains; another
 * owner does if nobody was heard to drain it. A mark is dropped, here and at the others, when PostgreSQL was seen to
 * hold its version or a higher one. A row that was changed from outside stays, and becomes the cluster's. (PROTOCOL
 * R34)
 */
import { SPOOL_DRAIN_ROWS_MAX } from '../../core/limits.ts';
import type { PeerMessage } from '../../core/message.ts';
import type { SpoolDrained, SpooledVersion } from '../../core/system-of-record/spool-message.ts';
import type { Mutations } from '../../core/mutations.ts';
import type { SealedRecord } from '../../core/record.ts';
import type { Replica } from '../../core/replication/replica.ts';
import type { RowView, SlotView } from '../../core/replication/slot-view.ts';
import { slotOf } from '../../core/placement/slots.ts';
import { judgeMark, judgeRow } from '../../core/system-of-record/spool.ts';
import type { HeldOfMark } from '../../core/system-of-record/spool.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Storage, StorageEntry } from '../../ports/storage.ts';
import type { SystemOfRecord } from '../../ports/system-of-record.ts';
import type { Telemetry } from '../../ports/telemetry.ts';
import { SPOOL_FROM, SPOOL_TO, splitSpoolKey } from '../../wire/spool-codec.ts';
import type { RecordShelf } from '../store/record-shelf.ts';
import type { RecordWriter } from '../system-of-record/record-writer.ts';
import type { SpoolMarks } from './marks.ts';

const PAGE_BYTES_MAX = 1024 * 1024;
/** With this few in progress, the next page is read. */
const UNDER_WAY_LOW = SPOOL_DRAIN_ROWS_MAX / 2;
/** Milliseconds by which each place among the owners lets the ones before it drain. */
const TURN_MS = 1_000;
/** Milliseconds between two passes over all marks; doubled while a pass achieves nothing. */
const PASS_MS_MIN = 100;
const PASS_MS_MAX = 5_000;
/** Rows changed from outside that are reported once each. */
const CONFLICTS_TOLD_MAX = 10_000;

export interface SpoolDrainParts {
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly storage: Storage;
  readonly shelf: RecordShelf;
  readonly marks: SpoolMarks;
  readonly record: SystemOfRecord;
  readonly recordWriter: RecordWriter;
  readonly replica: () => Replica | null;
  readonly leaseHeld: () => boolean;
  readonly send: (memberId: number, message: PeerMessage) => void;
  readonly mutations: Mutations;
}

export class SpoolDrain {
  /** Rows changed from outside that replaced what was marked. */
  conflicts = 0;
  drainedCount = 0;
  private readonly parts: SpoolDrainParts;
  /** Records handed to the record writer whose outcome is not known yet. */
  private readonly underWay = new Map<string, number>();
  /** The view in which they were handed over. */
  private view: SlotView | null = null;
  private toTell: SpooledVersion[] = [];
  private readonly conflictsTold = new Set<string>();
  private after = SPOOL_FROM;
  private isReading = false;
  private hasBrought = false;
  private passMs = PASS_MS_MIN;
  private notBefore = 0;
  private heardAt = -Infinity;
  private upSince: number | null = null;

  constructor(parts: SpoolDrainParts) {
    this.parts = parts;
  }

  tick(): void {
    const { clock, record, marks, replica } = this.parts;
    if (marks.entries === 0) return this.rest();
    this.lookAtView(replica()?.view ?? null);
    const now = clock.now();
    if (record.health().state !== 'up') this.upSince = null;
    else this.upSince ??= now;
    this.tell();
    if (this.upSince !== null && now >= this.notBefore) this.nextPage();
  }

  /**
   * The record writer drops rows of an earlier life, and rows that this node did not own when PostgreSQL kept them out:
   * nothing is heard of them. In another epoch all are handed over again, which does no harm to the others.
   */
  private lookAtView(view: SlotView | null): void {
    if (view === this.view) return;
    this.view = view;
    this.underWay.clear();
  }

  /** PostgreSQL's answer for a version, whoever asked: for drained records and for clients' writes alike. */
  onRecorded(key: string, version: number, outcome: 'committed' | number): void {
    if (this.underWay.get(key) === version) this.underWay.delete(key);
    if (this.parts.marks.entries === 0) return;
    const slot = slotOf(key);
    const stands = outcome === 'committed' ? version : outcome;
    if (judgeRow(stands, versionOf(this.held(slot, key))) === 'overtaken')
      this.onOvertaken(slot, key, stands);
    else if (this.parts.marks.lift(slot, key, stands)) this.lifted(key, stands);
    this.nextPage();
  }

  onDrained({ drained }: SpoolDrained): void {
    this.heardAt = this.parts.clock.now();
    for (const { key, version } of drained) this.parts.marks.lift(slotOf(key), key, version);
  }

  private rest(): void {
    this.tell();
    this.conflictsTold.clear();
    this.underWay.clear();
    this.passMs = PASS_MS_MIN;
    this.after = SPOOL_FROM;
  }

  private lifted(key: string, version: number): void {
    this.drainedCount += 1;
    this.hasBrought = true;
    this.passMs = PASS_MS_MIN;
    this.toTell.push({ key, version });
    if (this.toTell.length >= SPOOL_DRAIN_ROWS_MAX) this.tell();
  }

  /** The mark stays until the row is the cluster's. */
  private onOvertaken(slot: number, key: string, version: number): void {
    const { marks, telemetry, replica } = this.parts;
    if (marks.of(slot, key) === undefined) return;
    const name = `${version} ${key}`;
    if (!this.conflictsTold.has(name) && this.conflictsTold.size < CONFLICTS_TOLD_MAX) {
      this.conflictsTold.add(name);
      this.conflicts += 1;
      telemetry.event('warn', 'record.spool_conflict', { slot, version });
    }
    replica()?.refetch(slot, key);
  }

  private tell(): void {
    if (this.toTell.length === 0) return;
    const replica = this.parts.replica();
    const byMember = new Map<number, SpooledVersion[]>();
    for (const each of this.toTell) {
      for (const id of replica?.view.row(slotOf(each.key)).others ?? []) {
        const list = byMember.get(id);
        if (list === undefined) byMember.set(id, [each]);
        else list.push(each);
      }
    }
    this.toTell = [];
    for (const [id, drained] of byMember) this.parts.send(id, { kind: 'spoolDrained', drained });
  }

  private nextPage(): void {
    const { storage, replica, clock } = this.parts;
    // A record that PostgreSQL refuses for good does not block the others.
    if (this.isReading || this.underWay.size > UNDER_WAY_LOW || this.upSince === null) return;
    if (replica() === null || clock.now() < this.notBefore) return;
    this.isReading = true;
    storage.scan(this.after, SPOOL_TO, SPOOL_DRAIN_ROWS_MAX, PAGE_BYTES_MAX, (error, entries) => {
      this.isReading = false;
      const current = replica();
      if (error !== null || current === null) return;
      const last = entries.at(-1);
      if (last === undefined) return this.endPass();
      this.after = last.key + '\u0000';
      for (const entry of entries) this.look(current, entry);
      this.tell();
      clock.defer(() => this.nextPage());
    });
  }

  private endPass(): void {
    this.after = SPOOL_FROM;
    this.passMs = this.hasBrought ? PASS_MS_MIN : Math.min(PASS_MS_MAX, this.passMs * 2);
    this.hasBrought = false;
    this.notBefore = this.parts.clock.now() + this.passMs;
  }

  private look(replica: Replica, { key: stored }: StorageEntry): void {
    const { marks } = this.parts;
    const { slot, key } = splitSpoolKey(stored);
    const row = replica.view.row(slot);
    // The slot's owners have copied the marks. Without a live owner, these may be the only ones.
    if (!row.owns) return row.learns || row.owners.length === 0 ? undefined : marks.drop(slot, key);
    const mark = marks.of(slot, key);
    if (mark === undefined) return;
    const held = this.held(slot, key);
    // The outcome of a version that was replaced meanwhile may never be reported. (R24)
    if (this.underWay.has(key) && this.underWay.get(key) === versionOf(held)) return;
    const markedVersion = mark.version === Infinity ? 0 : mark.version;
    switch (judgeMark(markedVersion, stateOf(held))) {
      case 'drop':
        return marks.drop(slot, key);
      case 'lower':
        this.hasBrought = true;
        return marks.restate(slot, held as SealedRecord, mark);
      case 'drain':
        if (!this.isOurTurn(row) || !this.parts.leaseHeld()) return;
        if (mark.version === Infinity) marks.restate(slot, held as SealedRecord, mark);
        return this.bring(slot, held as SealedRecord);
      case 'wait':
        return;
    }
  }

  private bring(slot: number, sealed: SealedRecord): void {
    const { key, version } = sealed.record;
    this.underWay.set(key, version);
    this.parts.recordWriter.add(sealed, slot);
    if (this.parts.mutations.dropMarkBeforeCommit !== true) return;
    if (this.parts.marks.lift(slot, key, version)) this.lifted(key, version);
  }

  private isOurTurn(row: RowView): boolean {
    const { clock, replica } = this.parts;
    const turn = row.first === replica()!.view.selfId ? 0 : 1 + Math.max(0, row.place);
    return turn === 0 || clock.now() - Math.max(this.heardAt, this.upSince!) > turn * TURN_MS;
  }

  private held(slot: number, key: string): SealedRecord | undefined | 'damaged' | 'unfinished' {
    const { shelf } = this.parts;
    const replica = this.parts.replica();
    if (replica?.view.row(slot).owns !== true || !shelf.isVerified(slot)) return 'unfinished';
    const state = replica.stateOf(key);
    if (state === undefined) return shelf.load(key, slot);
    return state.valid ? (state.held ?? undefined) : 'unfinished';
  }
}

type Held = SealedRecord | undefined | 'damaged' | 'unfinished';

/** Infinity if the version is unknown, so that nothing counts as overtaken. */
function versionOf(held: Held): number {
  if (held === undefined) return 0;
  return held === 'damaged' || held === 'unfinished' ? Infinity : held.record.version;
}

function stateOf(held: Held): HeldOfMark {
  if (held === undefined) return { kind: 'none' };
  if (held === 'damaged' || held === 'unfinished') return { kind: held };
  return { kind: 'readable', version: held.record.version };
}
