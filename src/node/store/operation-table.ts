/**
 * What this node remembers of identified operations, kept in its store: written in the batch of the record that they
 * produced, and forgotten after a time window. What was forgotten is described by a single moment, so that an id from
 * before it is refused instead of being taken for a new one. (PROTOCOL R33)
 */
import { visitZeroes } from '../../base/index-set.ts';
import {
  OPERATION_COPY_ENTRIES_MAX,
  OPERATION_FORGET_EVERY_MS,
  OPERATION_ID_WINDOW_MS,
  OPERATION_TABLE_BYTES_MAX,
  SLOT_COPY_BYTES_MAX,
  SLOT_COUNT,
} from '../../core/limits.ts';
import { operationIdTime } from '../../core/operation-id.ts';
import type { IdentifiedOperation, KnownOperation } from '../../core/operation-id.ts';
import type { OperationMemory, StoredWrite } from '../../core/replication/context.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Storage, StorageEntry } from '../../ports/storage.ts';
import {
  KNOWN_BYTES,
  OPERATIONS_FROM,
  decodeForgotten,
  decodeKnown,
  encodeForgotten,
  encodeKnown,
  operationKey,
  operationKeyAfter,
  splitOperationKey,
} from '../../wire/operation-codec.ts';
import { metaKey } from '../../wire/store-codec.ts';
import type { StoreChange, StoreWriter } from './store-writer.ts';

const META = 'operations';

export class OperationTable implements OperationMemory {
  private readonly writer: StoreWriter;
  private readonly storage: Storage;
  private readonly clock: Clock;
  private byteCount: number;
  /** Null if this node was never an owner, or the value is damaged: then nothing is known of earlier operations. */
  private forgotten: number | null;
  /** 1 if what is remembered of the slot counts: this node owns it, or has copied it from its source. (R19) */
  private readonly confirmed = new Uint8Array(SLOT_COUNT);
  /** For all other slots: entries that arrived since this node started to learn them, and so are not leftovers. */
  private readonly sessions = new Map<number, Set<string>>();
  private lookAt = 0;
  private looking = false;

  /** `byteCount`: bytes of operations that the store already holds. */
  constructor(writer: StoreWriter, storage: Storage, clock: Clock, byteCount: number) {
    this.writer = writer;
    this.storage = storage;
    this.clock = clock;
    this.byteCount = byteCount;
    const meta = storage.get(metaKey(META));
    this.forgotten = meta === undefined ? null : decodeForgotten(meta);
  }

  get bytes(): number {
    return this.byteCount;
  }

  find(key: string, id: Uint8Array): KnownOperation | undefined | 'damaged' {
    const stored = operationKey(key, id);
    const value = this.writer.get(stored);
    return value === undefined ? undefined : (decodeKnown(stored, value) ?? 'damaged');
  }

  forgottenThrough(): number {
    return this.forgotten ?? Infinity;
  }

  isFull(): boolean {
    return this.byteCount >= OPERATION_TABLE_BYTES_MAX;
  }

  /** Changes to be written together with the record: first removals of voided operations, then the new ones. */
  changesOf(write: StoredWrite): StoreChange[] | null {
    const { voided, operations, sealed, slot } = write;
    if (voided === null && operations === null) return null;
    const { key, version } = sealed.record;
    const changes: StoreChange[] = [];
    for (const { id } of voided ?? []) this.change(changes, operationKey(key, id), null);
    for (const { id, kind, number } of operations ?? []) {
      const stored = operationKey(key, id);
      if (this.confirmed[slot] === 0) this.session(slot).add(stored);
      this.change(changes, stored, encodeKnown(stored, { version, kind, number }));
    }
    return changes;
  }

  private change(changes: StoreChange[], stored: string, bytes: Uint8Array | null): void {
    const held = this.writer.get(stored) !== undefined;
    if (!held && bytes === null) return;
    if (held !== (bytes !== null)) this.byteCount += (held ? -1 : 1) * (stored.length + KNOWN_BYTES);
    changes.push({ stored, bytes });
  }

  /** This node is an owner and has nothing to learn: of earlier operations nothing is known. */
  begin(): void {
    if (this.forgotten === null) this.setForgotten(Math.ceil(this.clock.wallNow()));
  }

  /** A source remembers nothing up to this moment, so neither does a learner that copies from it. */
  learnForgotten(through: number): void {
    this.setForgotten(Math.max(this.forgotten ?? 0, through));
  }

  private setForgotten(through: number): void {
    if (this.forgotten === through) return;
    this.forgotten = through;
    this.writer.putMeta(META, encodeForgotten(through), () => undefined);
  }

  /** Visits the given slots in which what is remembered does not count. */
  visitUnconfirmed(slots: Uint16Array, visit: (slot: number) => void): void {
    visitZeroes(this.confirmed, slots, visit);
  }

  confirm(slot: number): void {
    this.confirmed[slot] = 1;
    this.sessions.delete(slot);
  }

  /** What is remembered of the slot is a leftover until a source confirms it. */
  doubt(slot: number): void {
    this.confirmed[slot] = 0;
    this.sessions.delete(slot);
  }

  doubtAll(): void {
    this.confirmed.fill(0);
    this.sessions.clear();
  }

  /**
   * Keeps the operations of a write that is in flight here according to this disk: at its source the write may still be
   * on its way to disk.
   */
  keep(slot: number, key: string, operations: readonly IdentifiedOperation[]): void {
    if (this.confirmed[slot] === 1) return;
    for (const { id } of operations) this.session(slot).add(operationKey(key, id));
  }

  private session(slot: number): Set<string> {
    let session = this.sessions.get(slot);
    if (session === undefined) this.sessions.set(slot, (session = new Set()));
    return session;
  }

  /** A learner hears of an operation from its source. An entry from this session stays if it is later. */
  copy(slot: number, stored: string, known: KnownOperation): void {
    const value = this.writer.get(stored);
    const present = value === undefined ? undefined : decodeKnown(stored, value);
    const isOurs = this.sessions.get(slot)?.has(stored) === true;
    if (present !== undefined && isOurs && present.version > known.version) return;
    this.putAlone(stored, encodeKnown(stored, known));
  }

  /** Removes an operation that the source does not know, unless it arrived in this session. */
  dropLeftover(slot: number, stored: string): void {
    if (this.sessions.get(slot)?.has(stored) !== true) this.putAlone(stored, null);
  }

  /**
   * Nobody left knows whether these operations took effect. Advancing the moment of forgetting past them makes that
   * known.
   */
  unlearn(key: string, operations: readonly IdentifiedOperation[]): void {
    for (const { id } of operations) this.putAlone(operationKey(key, id), null);
  }

  drop(stored: string): void {
    this.putAlone(stored, null);
  }

  private putAlone(stored: string, bytes: Uint8Array | null): void {
    const changes: StoreChange[] = [];
    this.change(changes, stored, bytes);
    for (const change of changes) this.writer.putEntry(change.stored, change.bytes);
  }

  /** The entry as the store has it now, including what is still being written. */
  current(entry: StorageEntry): KnownOperation | undefined {
    const value = this.writer.get(entry.key);
    return value === undefined ? undefined : decodeKnown(entry.key, value);
  }

  /** Occasionally forgets what is older than the window, a bounded number of entries at a time. */
  tick(): void {
    const now = this.clock.now();
    if (this.looking || now < this.lookAt || this.forgotten === null) return;
    this.lookAt = now + OPERATION_FORGET_EVERY_MS;
    this.looking = true;
    const through = Math.floor(this.clock.wallNow() - OPERATION_ID_WINDOW_MS);
    const to = operationKeyAfter(through);
    this.storage.scan(
      OPERATIONS_FROM,
      to,
      OPERATION_COPY_ENTRIES_MAX,
      SLOT_COPY_BYTES_MAX,
      (error, entries) => {
        this.looking = false;
        const last = entries.at(-1);
        if (error !== null || last === undefined) return;
        // Never further than what is removed: if the wall clock were ahead now, ids of its time would be refused long
        // after.
        const { id } = splitOperationKey(last.key);
        this.setForgotten(Math.max(this.forgotten ?? 0, operationIdTime(id)));
        for (const { key } of entries) this.putAlone(key, null);
        // While there are more, the removal continues tick by tick.
        this.lookAt = now;
      },
    );
  }
}
