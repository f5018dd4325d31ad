/** Builds what keeps a node's own disk. */
import { NO_MUTATIONS } from '../../core/mutations.ts';
import type { StorageError } from '../../ports/storage.ts';
import type { NodeParts } from '../node-parts.ts';
import { SpoolMarks } from '../spool/marks.ts';
import { FloorStore } from '../store/floor-store.ts';
import { LeftInFlight } from '../store/left-in-flight.ts';
import type { Stock } from '../store/opening.ts';
import { OperationTable } from '../store/operation-table.ts';
import { RecordShelf } from '../store/record-shelf.ts';
import { StoreWriter } from '../store/store-writer.ts';

export interface OwnStore {
  readonly writer: StoreWriter;
  readonly shelf: RecordShelf;
  readonly operations: OperationTable;
  readonly floors: FloorStore;
  readonly leftInFlight: LeftInFlight;
  readonly spoolMarks: SpoolMarks;
}

export interface StoreEvents {
  readonly onStored: (key: string, version: number) => void;
  readonly onDamaged: (slot: number, key: string) => void;
}

export function ownStoreOf(parts: NodeParts, stock: Stock, { onStored, onDamaged }: StoreEvents): OwnStore {
  const { clock, instruments, mutations = NO_MUTATIONS } = parts;
  const { opened } = stock;
  const storage = parts.traces?.storageOfWriter(parts.storage) ?? parts.storage;
  const onFailed = (fault: StorageError): void => parts.onFatal(`the store failed: ${fault.message}`);
  const batchFirst = opened.batchHighest + 1;
  const writer = new StoreWriter({ storage, clock, batchFirst, onStored, onFailed, instruments });
  const shelf = new RecordShelf(writer, stock, parts.cacheBytes, onDamaged, instruments);
  const operations = new OperationTable(writer, parts.storage, clock, opened.operationBytes);
  const floors = new FloorStore(writer, opened);
  const leftInFlight = new LeftInFlight(writer, operations);
  if (mutations.forgetInFlight !== true)
    for (const each of opened.inFlight) leftInFlight.add(each.batch, each.writes);
  const { spoolBytesMax: bytesMax, spoolEntriesMax: entriesMax } = parts.record;
  const spoolMarks = new SpoolMarks({
    writer,
    wallNow: () => clock.wallNow(),
    bounds: { bytesMax, entriesMax },
    tally: opened.spooled,
    forgets: mutations.forgetSpoolMarkAtRestart === true,
  });
  return { writer, shelf, operations, floors, leftInFlight, spoolMarks };
}
