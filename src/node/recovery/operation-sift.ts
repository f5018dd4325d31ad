/**
 * Checks what this disk remembers of operations in slots that an operator has given up. A copy from the owners may have
 * been interrupted: then the records are theirs, while the remembered operations are still from an earlier time of this
 * disk. So only operations that the records themselves confirm count; of all others nothing can be told. (PROTOCOL R28,
 * R33)
 */
import { IndexSet } from '../../base/index-set.ts';
import { OPERATION_COPY_ENTRIES_MAX, SLOT_COPY_BYTES_MAX, SLOT_COUNT } from '../../core/limits.ts';
import { isBorneOut } from '../../core/operation-id.ts';
import { slotOf } from '../../core/placement/slots.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Storage, StorageEntry } from '../../ports/storage.ts';
import { OPERATIONS_FROM, OPERATIONS_TO, splitOperationKey } from '../../wire/operation-codec.ts';
import type { OperationTable } from '../store/operation-table.ts';
import { readRange } from '../store/range-reading.ts';
import type { RecordShelf } from '../store/record-shelf.ts';

export interface OperationSift {
  readonly clock: Clock;
  readonly storage: Storage;
  readonly shelf: RecordShelf;
  readonly operations: OperationTable;
  readonly slots: readonly number[];
  readonly isCurrent: () => boolean;
}

/** Nobody owns the slots meanwhile. Calls `done` in a later turn, but not once another epoch has begun. */
export function siftOperations(sift: OperationSift, done: () => void): void {
  const { shelf, isCurrent } = sift;
  const slots = new IndexSet(SLOT_COUNT);
  for (const slot of sift.slots) slots.add(slot);
  const range = { from: OPERATIONS_FROM, to: OPERATIONS_TO };
  const limits = { entryCountMax: OPERATION_COPY_ENTRIES_MAX, byteCountMax: SLOT_COPY_BYTES_MAX };
  const read = (): void =>
    readRange({ ...sift, ...range, ...limits }, (entry) => look(sift, slots, entry), done);
  // Records that arrived before the epoch may still be on their way to disk.
  shelf.whenStored(() => (isCurrent() ? read() : undefined));
}

function look({ shelf, operations }: OperationSift, slots: IndexSet, entry: StorageEntry): void {
  const { key } = splitOperationKey(entry.key);
  const slot = slotOf(key);
  if (!slots.has(slot)) return;
  const held = shelf.read(key, slot);
  const isNone = held === undefined || held === 'damaged' || shelf.isSuperseded(slot, key);
  const version = isNone ? 0 : held.record.version;
  if (!isBorneOut(operations.current(entry), version)) operations.drop(entry.key);
}
