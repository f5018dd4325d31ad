/**
 * A process that writes batches to a LevelDB store until it is killed, and reports each one that was acknowledged.
 * After a failed write it tries once more, reports both errors and ends.
 */
import { writeSync } from 'node:fs';
import { openLevelStore } from '../../src/adapters/leveldb/store.ts';
import type { Storage } from '../../src/ports/storage.ts';

const BATCH_ENTRIES = 50;
const STANDARD_OUTPUT = 1;

const opened = await openLevelStore(process.argv[2]!);
if (opened.kind !== 'open') throw new Error(opened.message);
let first = 0;
while (opened.storage.get(keyOf(first, 0)) !== undefined) first += 1;
writeFrom(opened.storage, first);

function writeFrom(storage: Storage, batch: number): void {
  const keys = Array.from({ length: BATCH_ENTRIES }, (_, index) => keyOf(batch, index));
  const values = keys.map(() => new Uint8Array(100));
  storage.write(keys, values, (error) => {
    if (error !== null) {
      writeSync(STANDARD_OUTPUT, `error ${error.kind}\n`);
      // Small enough to fit into the remaining room: only the rule that no write follows a failed one refuses it.
      storage.write(['small'], [new Uint8Array(1)], (again) => {
        writeSync(STANDARD_OUTPUT, `again ${again?.kind ?? 'accepted'}\n`);
        process.exit(0);
      });
      return;
    }
    writeSync(STANDARD_OUTPUT, `${batch}\n`);
    writeFrom(storage, batch + 1);
  });
}

function keyOf(batch: number, index: number): string {
  return `${String(batch).padStart(8, '0')}-${index}`;
}
