/**
 * The other side of catching up: a complete owner compares digests and hands out its slots, each record with its
 * in-flight mark, read from the store in bounded pieces. (PROTOCOL R19)
 */
import { compareUtf8 } from '../base/utf8-order.ts';
import {
  OPERATION_COPY_ENTRIES_MAX,
  SLOT_COPY_BYTES_MAX,
  SLOT_COPY_RECORDS_MAX,
  SLOT_COUNT,
} from '../core/limits.ts';
import type {
  HeldRecord,
  LearnDigests,
  LearnOperations,
  LearnPull,
  LearnUntold,
  PeerMessage,
  RememberedOperation,
} from '../core/message.ts';
import type { Mutations } from '../core/mutations.ts';
import { heldAtRest, heldRecordOf, isUnstored } from '../core/replication/follow.ts';
import type { Replica } from '../core/replication/replica.ts';
import { slotOf } from '../core/slots.ts';
import type { Storage, StorageEntry } from '../ports/storage.ts';
import { openRecord } from '../wire/record-codec.ts';
import { OPERATIONS_TO, splitOperationKey } from '../wire/operation-codec.ts';
import { slotRangeAfter, splitRecordKey } from '../wire/store-codec.ts';
import type { FloorStore } from './floor-store.ts';
import { isLastPage, withoutOffered } from './offered-records.ts';
import type { OperationTable } from './operation-table.ts';
import type { RecordShelf } from './record-shelf.ts';

export class Teacher {
  private readonly storage: Storage;
  private readonly shelf: RecordShelf;
  private readonly operations: OperationTable;
  private readonly floors: FloorStore;
  private readonly send: (memberId: number, message: PeerMessage) => void;
  private readonly mutations: Mutations;

  constructor(
    storage: Storage,
    shelf: RecordShelf,
    operations: OperationTable,
    floors: FloorStore,
    send: (memberId: number, message: PeerMessage) => void,
    mutations: Mutations,
  ) {
    this.mutations = mutations;
    this.storage = storage;
    this.shelf = shelf;
    this.operations = operations;
    this.floors = floors;
    this.send = send;
  }

  onDigests(from: number, replica: Replica, message: LearnDigests): void {
    const { slots, digests, session } = message;
    const differing: number[] = [];
    for (let at = 0; at < slots.length; at += 1) {
      const slot = slots[at]!;
      if (slot >= SLOT_COUNT || !replica.view.row(slot).owns) continue;
      if (!this.shelf.digests.isEqual(slot, digests, at)) differing.push(slot);
    }
    this.send(from, {
      kind: 'learnDifferences',
      session,
      slotFirst: slots[0] ?? 0,
      slotCount: slots.length,
      differing,
      floors: this.floors.among(slots),
    });
  }

  onPull(from: number, replica: Replica, message: LearnPull): void {
    const { slot, session, afterKey, offered } = message;
    const refuse = (reason: string): void => this.send(from, { kind: 'learnRefused', session, slot, reason });
    if (!replica.view.row(slot).owns) return refuse('not an owner');
    const epoch = replica.view.topology.epoch;
    const { from: begin, to } = slotRangeAfter(slot, afterKey);
    this.storage.scan(begin, to, SLOT_COPY_RECORDS_MAX, SLOT_COPY_BYTES_MAX, (error, entries) => {
      if (error !== null) return refuse(error.message);
      if (replica.view.topology.epoch !== epoch) return;
      const records = toRecords(replica, entries);
      if (records === undefined) {
        // Looked at one by one, the damaged one is repaired; the learner comes again.
        for (const entry of entries) this.shelf.noticeDamage(splitRecordKey(entry.key).key, slot);
        return refuse('a record is damaged');
      }
      const last = isLastPage(entries, SLOT_COPY_RECORDS_MAX, SLOT_COPY_BYTES_MAX) || entries.length === 0;
      const page = withoutOffered(records, offered);
      const tell = (): void =>
        this.send(from, { kind: 'learnFrame', session, slot, afterKey, ...page, last });
      if (this.isStored(replica, entries)) return tell();
      // What comes after it in this epoch reaches the learner by itself, as it would while the page is on its way.
      this.shelf.whenStored(() => (replica.view.topology.epoch === epoch ? tell() : undefined));
    });
  }

  /** All of it is on this disk as it stands in memory. */
  private isStored(replica: Replica, entries: readonly StorageEntry[]): boolean {
    if (this.mutations.tellUnstored === true) return true;
    return entries.every((entry) => {
      const state = replica.stateOf(splitRecordKey(entry.key).key);
      return state === undefined || !isUnstored(state);
    });
  }

  /** What an earlier process of the learner began and is in flight here, whether this node is an owner or learns. */
  onUntold(from: number, replica: Replica, message: LearnUntold): void {
    const { session, after } = message;
    const following = replica
      .untoldTo(from)
      .filter(({ key }) => compareUtf8(key, after) > 0)
      .sort((a, b) => compareUtf8(a.key, b.key));
    const records: HeldRecord[] = [];
    let byteCount = 0;
    for (const state of following) {
      if (records.length >= SLOT_COPY_RECORDS_MAX || byteCount >= SLOT_COPY_BYTES_MAX / 2) break;
      const held = heldRecordOf(state)!;
      records.push(held);
      byteCount += held.sealed.bytes.length;
    }
    const last = records.length === following.length;
    this.send(from, { kind: 'learnUntoldFrame', session, after, records, last });
  }

  /** A piece of what this node remembers, as far as it concerns the asker. (R33) */
  onOperations(from: number, replica: Replica, message: LearnOperations): void {
    const { session, after } = message;
    const { epoch } = replica.view.topology;
    const countMax = OPERATION_COPY_ENTRIES_MAX;
    this.storage.scan(after, OPERATIONS_TO, countMax, SLOT_COPY_BYTES_MAX / 2, (error, entries) => {
      if (error !== null || replica.view.topology.epoch !== epoch) return;
      const last = entries.at(-1);
      const operations: RememberedOperation[] = [];
      for (const entry of entries) {
        const { key, id } = splitOperationKey(entry.key);
        const row = replica.view.row(slotOf(key));
        if (!row.owns || !row.others.includes(from)) continue;
        const known = this.operations.current(entry);
        if (known === undefined) continue;
        const state = replica.stateOf(key);
        const open = state !== undefined && !state.valid && state.held?.record.version === known.version;
        operations.push({ key, id, ...known, open });
      }
      const next = last === undefined ? '' : last.key + '\u0000';
      const forgottenThrough = this.operations.forgottenThrough();
      if (!Number.isFinite(forgottenThrough)) return;
      this.send(from, { kind: 'learnOperationsFrame', session, after, operations, next, forgottenThrough });
    });
  }
}

/** What is in flight is told as it stands in memory; everything else is at rest, hence valid. */
function toRecords(replica: Replica, entries: readonly StorageEntry[]): HeldRecord[] | undefined {
  const records: HeldRecord[] = [];
  for (const entry of entries) {
    const sealed = openRecord(entry.value);
    if (sealed === undefined) return undefined;
    const state = replica.stateOf(sealed.record.key);
    const inFlight = state === undefined || state.valid ? null : heldRecordOf(state);
    records.push(inFlight ?? heldAtRest(sealed));
  }
  return records;
}
