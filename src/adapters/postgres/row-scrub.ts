/** Reads whole rows for a scrubber, and repairs them. */
import { SCRUB_PAGE_BYTES_MAX } from '../../core/limits.ts';
import type { RowScrub, WholeRow } from '../../ports/row-scrub.ts';
import type { RecordRow } from '../../ports/system-of-record.ts';
import { checkLife } from './commit-rows.ts';
import type { Connection, Fields } from './connection.ts';
import { deliver } from './deliver.ts';
import { runLocking } from './lock-waits.ts';
import type { Aside } from './outside-edits.ts';
import { packRows, rowFromFields } from './record-rows.ts';

/** After the columns of a row. */
const IS_DELETED_FIELD = 13;

export function rowScrub({ read, write }: { readonly read: Aside; readonly write: Aside }): RowScrub {
  return {
    readRows: (slot, afterKey, rowCountMax, done) =>
      deliver(
        read(async (connection, deadline) => {
          const values = [slot, afterKey, rowCountMax, SCRUB_PAGE_BYTES_MAX];
          return (await connection.run(connection.sql.slotRows, values, deadline)).map(wholeRow);
        }),
        done,
        [],
      ),
    restoreRow: (life, row, done) =>
      deliver(
        write((connection, deadline) => restoreRow(connection, life, row, deadline)),
        done,
        false,
      ),
  };
}

function wholeRow(fields: Fields): WholeRow {
  const { record, checksum, edited } = rowFromFields(fields);
  const { key, version } = record;
  const tombstone = fields[IS_DELETED_FIELD] as boolean;
  return { key, version, checksum, tombstone, record: edited === true ? null : record };
}

async function restoreRow(
  connection: Connection,
  life: number,
  row: RecordRow,
  deadline: number,
): Promise<boolean> {
  const { restoreRow: statement, needsWholeArrays } = connection.sql;
  const values = [life, ...packRows([row], needsWholeArrays)];
  const [reply] = await runLocking(connection, statement, values, deadline);
  const [lifeInForce, count] = reply as [number | null, number];
  checkLife(lifeInForce, life);
  return count === 1;
}
