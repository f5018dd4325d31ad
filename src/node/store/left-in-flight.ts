/**
 * The in-flight entries that an earlier process left on this disk. Every key in them is invalid until its write is
 * finished or its source says otherwise. An entry too many is harmless, one too few is not. (PROTOCOL R12)
 */
import type { IdentifiedOperation } from '../../core/operation-id.ts';
import type { KeyState } from '../../core/replication/key-state.ts';
import type { Replica } from '../../core/replication/replica.ts';
import type { InFlightWrite } from '../../wire/store-codec.ts';
import type { OperationTable } from './operation-table.ts';
import type { RecordShelf } from './record-shelf.ts';
import type { StoreWriter } from './store-writer.ts';

interface Left extends InFlightWrite {
  readonly batch: number;
}

export class LeftInFlight {
  private readonly writer: StoreWriter;
  private readonly operations: Pick<OperationTable, 'keep'>;
  private readonly bySlot = new Map<number, Left[]>();

  constructor(writer: StoreWriter, operations: Pick<OperationTable, 'keep'>) {
    this.writer = writer;
    this.operations = operations;
  }

  add(batch: number, writes: readonly InFlightWrite[]): void {
    this.writer.adoptInFlight(batch, writes.length);
    for (const write of writes) {
      const left = this.bySlot.get(write.slot);
      if (left === undefined) this.bySlot.set(write.slot, [{ ...write, batch }]);
      else left.push({ ...write, batch });
    }
  }

  /** Keeps what this process leaves in flight when it has to start over under a new incarnation. */
  keep(state: KeyState): void {
    const { key, slot, held } = state;
    if (held === null || state.valid) return this.writer.endInFlight(state.batches);
    let left = this.bySlot.get(slot);
    if (left === undefined) this.bySlot.set(slot, (left = []));
    for (const batch of state.batches) {
      left.push({
        key,
        slot,
        batch,
        version: held.record.version,
        conditional: state.heldConditional,
        recorded: state.heldRecorded,
        coordinator: state.heldCoordinator,
        base: state.heldBase,
        operations: state.heldOperations,
      });
    }
  }

  /** PostgreSQL has exactly this write, so it was finished: all owners of its epoch had stored it before. (R6) */
  settle(slot: number, key: string, version: number): void {
    const left = this.bySlot.get(slot);
    if (left === undefined) return;
    const isSettled = (write: Left): boolean => write.key === key && write.version === version;
    for (const write of left) if (isSettled(write)) this.writer.endInFlight([write.batch]);
    this.bySlot.set(
      slot,
      left.filter((write) => !isSettled(write)),
    );
  }

  /** Identified operations of entries below this version. */
  operationsBelow(slot: number, key: string, version: number): IdentifiedOperation[] {
    const left = this.bySlot.get(slot) ?? [];
    return left.flatMap((write) =>
      write.key === key && write.version < version ? (write.operations ?? []) : [],
    );
  }

  /** What the slot holds counts, so its keys in flight are invalid until their writes are finished. */
  restore(slot: number, shelf: RecordShelf, replica: Replica): void {
    const left = this.bySlot.get(slot);
    if (left === undefined) return;
    this.bySlot.delete(slot);
    for (const write of left) {
      const sealed = shelf.read(write.key, slot);
      if (sealed === undefined || sealed === 'damaged' || sealed.record.version !== write.version) {
        this.writer.endInFlight([write.batch]);
        continue;
      }
      if (write.operations !== null) this.operations.keep(slot, write.key, write.operations);
      replica.restoreInFlight(slot, { ...write, sealed }, [write.batch]);
    }
  }

  /** The slot was copied from an owner, including what is in flight there: our own entries no longer matter. */
  forget(slot: number): void {
    const left = this.bySlot.get(slot);
    if (left === undefined) return;
    this.bySlot.delete(slot);
    for (const write of left) this.writer.endInFlight([write.batch]);
  }
}
