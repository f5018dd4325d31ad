/**
 * The in-flight entries that an earlier process left on this disk: every key in them is invalid until its write is
 * finished or its source says otherwise. A mark too many is harmless, one too few is not. (PROTOCOL R12)
 */
import type { IdentifiedOperation } from '../core/operation-id.ts';
import type { KeyState } from '../core/replication/key-state.ts';
import type { Replica } from '../core/replication/replica.ts';
import type { InFlightMark } from '../wire/store-codec.ts';
import type { OperationTable } from './operation-table.ts';
import type { RecordShelf } from './record-shelf.ts';
import type { StoreWriter } from './store-writer.ts';

interface Left extends InFlightMark {
  readonly batch: number;
}

export class StartMarks {
  private readonly writer: StoreWriter;
  private readonly operations: Pick<OperationTable, 'keep'>;
  private readonly bySlot = new Map<number, Left[]>();

  constructor(writer: StoreWriter, operations: Pick<OperationTable, 'keep'>) {
    this.writer = writer;
    this.operations = operations;
  }

  add(batch: number, marks: readonly InFlightMark[]): void {
    this.writer.adoptMark(batch, marks.length);
    for (const mark of marks) {
      const left = this.bySlot.get(mark.slot);
      if (left === undefined) this.bySlot.set(mark.slot, [{ ...mark, batch }]);
      else left.push({ ...mark, batch });
    }
  }

  /** What this process itself leaves in flight when it must begin again under a new incarnation. */
  keep(state: KeyState): void {
    const { key, slot, held } = state;
    if (held === null || state.valid) return this.writer.unmark(state.marks);
    let left = this.bySlot.get(slot);
    if (left === undefined) this.bySlot.set(slot, (left = []));
    for (const batch of state.marks) {
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

  /** PostgreSQL has this very write, so it was finished: all owners of its epoch had stored it before. (R6) */
  settle(slot: number, key: string, version: number): void {
    const left = this.bySlot.get(slot);
    if (left === undefined) return;
    const isSettled = (mark: Left): boolean => mark.key === key && mark.version === version;
    for (const mark of left) if (isSettled(mark)) this.writer.unmark([mark.batch]);
    this.bySlot.set(
      slot,
      left.filter((mark) => !isSettled(mark)),
    );
  }

  /** Operations of what was in flight below this version. */
  operationsBelow(slot: number, key: string, version: number): IdentifiedOperation[] {
    const left = this.bySlot.get(slot) ?? [];
    return left.flatMap((mark) =>
      mark.key === key && mark.version < version ? (mark.operations ?? []) : [],
    );
  }

  /** What the slot holds counts: its marked keys wait for their end. */
  restore(slot: number, shelf: RecordShelf, replica: Replica): void {
    const left = this.bySlot.get(slot);
    if (left === undefined) return;
    this.bySlot.delete(slot);
    for (const mark of left) {
      const sealed = shelf.read(mark.key, slot);
      if (sealed === undefined || sealed === 'damaged' || sealed.record.version !== mark.version) {
        this.writer.unmark([mark.batch]);
        continue;
      }
      if (mark.operations !== null) this.operations.keep(slot, mark.key, mark.operations);
      replica.restoreInFlight(slot, { ...mark, sealed }, [mark.batch]);
    }
  }

  /** The slot was copied from an owner, marks included: ours say nothing any more. */
  forget(slot: number): void {
    const left = this.bySlot.get(slot);
    if (left === undefined) return;
    this.bySlot.delete(slot);
    for (const mark of left) this.writer.unmark([mark.batch]);
  }
}
