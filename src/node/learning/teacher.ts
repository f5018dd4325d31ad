/**
 * The other side of catching up: a complete owner compares digests and sends its slots, each record with its in-flight
 * state, read from the store in bounded pieces. (PROTOCOL R19)
 */
import { compareUtf8 } from '../../base/utf8-order.ts';
import {
  OPERATION_COPY_ENTRIES_MAX,
  SLOT_COPY_BYTES_MAX,
  SLOT_COPY_RECORDS_MAX,
  SLOT_COUNT,
} from '../../core/limits.ts';
import type {
  HeldRecord,
  LearnDigests,
  LearnOperations,
  LearnPull,
  LearnUntold,
  PeerMessage,
  RememberedOperation,
} from '../../core/message.ts';
import type { Mutations } from '../../core/mutations.ts';
import { heldRecordOf } from '../../core/replication/follow.ts';
import type { Replica } from '../../core/replication/replica.ts';
import { slotOf } from '../../core/placement/slots.ts';
import type { Storage } from '../../ports/storage.ts';
import { OPERATIONS_TO, splitOperationKey } from '../../wire/operation-codec.ts';
import type { FloorStore } from '../store/floor-store.ts';
import type { OperationTable } from '../store/operation-table.ts';
import { PullAnswers } from './pull-answers.ts';
import type { RecordShelf } from '../store/record-shelf.ts';

export interface TeacherParts {
  readonly storage: Storage;
  readonly shelf: RecordShelf;
  readonly operations: OperationTable;
  readonly floors: FloorStore;
  readonly send: (memberId: number, message: PeerMessage) => void;
  readonly mutations: Mutations;
}

export class Teacher {
  private readonly parts: TeacherParts;
  private readonly pulls: PullAnswers;

  constructor(parts: TeacherParts) {
    this.parts = parts;
    this.pulls = new PullAnswers(parts.storage, parts.shelf, parts.send, parts.mutations);
  }

  onDigests(from: number, replica: Replica, message: LearnDigests): void {
    const { slots, digests, session } = message;
    const differing: number[] = [];
    for (let at = 0; at < slots.length; at += 1) {
      const slot = slots[at]!;
      if (slot >= SLOT_COUNT || !replica.view.row(slot).owns) continue;
      if (!this.parts.shelf.digests.isEqual(slot, digests, at)) differing.push(slot);
    }
    this.parts.send(from, {
      kind: 'learnDifferences',
      session,
      slotFirst: slots[0] ?? 0,
      slotCount: slots.length,
      differing,
      floors: this.parts.floors.among(slots),
    });
  }

  /** Answered together with other requests when `answerPulls` is called. */
  onPull(from: number, replica: Replica, message: LearnPull): void {
    const { slot, session } = message;
    if (replica.view.row(slot).owns) return this.pulls.add(from, replica, message);
    this.parts.send(from, { kind: 'learnRefused', session, slot, reason: 'not an owner' });
  }

  /** All requests of one frame have been received. */
  answerPulls(): void {
    this.pulls.begin();
  }

  /**
   * Versions that an earlier process of the learner took and that are in flight here, whether this node owns or learns
   * the slots.
   */
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
    this.parts.send(from, { kind: 'learnUntoldFrame', session, after, records, last });
  }

  /** A part of the operations that this node remembers, as far as they concern the asker. (R33) */
  onOperations(from: number, replica: Replica, message: LearnOperations): void {
    const { session, after } = message;
    const { epoch } = replica.view.topology;
    const countMax = OPERATION_COPY_ENTRIES_MAX;
    this.parts.storage.scan(after, OPERATIONS_TO, countMax, SLOT_COPY_BYTES_MAX / 2, (error, entries) => {
      if (error !== null || replica.view.topology.epoch !== epoch) return;
      const last = entries.at(-1);
      const operations: RememberedOperation[] = [];
      for (const entry of entries) {
        const { key, id } = splitOperationKey(entry.key);
        const row = replica.view.row(slotOf(key));
        if (!row.owns || !row.others.includes(from)) continue;
        const known = this.parts.operations.current(entry);
        if (known === undefined) continue;
        const state = replica.stateOf(key);
        const open = state !== undefined && !state.valid && state.held?.record.version === known.version;
        operations.push({ key, id, ...known, open });
      }
      const next = last === undefined ? '' : last.key + '\u0000';
      const forgottenThrough = this.parts.operations.forgottenThrough();
      if (!Number.isFinite(forgottenThrough)) return;
      this.parts.send(from, {
        kind: 'learnOperationsFrame',
        session,
        after,
        operations,
        next,
        forgottenThrough,
      });
    });
  }
}
