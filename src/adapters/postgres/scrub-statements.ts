/** What a scrubber reads of rows, and how it repairs one. */
import type { Statement } from '../../base/sql-statement.ts';
import { ROUNDED, ROW_LOCK, compatPageText } from './compat-statements.ts';
import { COLUMNS, COLUMNS_UNNESTED, IS_DELETED, ROW_COLUMNS, TABLE_LOCK, pageText } from './statements.ts';
import type { LifeFence } from './statements.ts';

const OF_SLOT = `select * from causeway.record where slot = $1::int4 and key > $2::text and version > 0
    order by key limit $3::int4`;

/** Like `VERSIONS`, with whole rows: at most $3 rows and, beyond the first one, about $4 bytes. */
export const SLOT_ROWS: Statement = {
  name: 'causeway_slot_rows',
  writes: false,
  features: ['window frame'],
  text: `select ${ROW_COLUMNS}, ${IS_DELETED} from ${pageText(OF_SLOT, 'key')}`,
};

export const COMPAT_SLOT_ROWS: Statement = {
  name: 'causeway_slot_rows',
  writes: false,
  features: [],
  text: `select ${ROUNDED}, ${IS_DELETED} from ${compatPageText(OF_SLOT, 'key')}`,
};

/** Restores the row of that version, unless it was changed by hand since. */
function restoreText({ begin, holds, life }: LifeFence): string {
  return `${begin},
restored as (
  update causeway.record as r set slot = t.slot, value = t.value, origin = t.origin, created_at = t.created_at,
    updated_at = t.updated_at, expires_at = t.expires_at, deleted = t.deleted, checksum = t.checksum,
    operation_id = t.operation_id, content_type = t.content_type
  from unnest(${COLUMNS_UNNESTED}) as t(${COLUMNS})
  where r.key = t.key and r.version = t.version and r.edited_on is distinct from r.version and ${holds}
  returning r.key
)
select ${life}, (select count(*) from restored)`;
}

/** The last condition is always true; without it, the trigger would note this statement as a change by hand. */
export const RESTORE_ROW: Statement = {
  name: null,
  writes: true,
  features: [
    'array parameters',
    'bytea',
    'data-modifying CTE',
    'empty select list',
    'fence by the lock of a writer',
    'multi-argument unnest',
    'server settings',
    'session settings',
  ],
  text: restoreText({
    ...TABLE_LOCK,
    holds: `${TABLE_LOCK.holds}
    and set_config('causeway.unwatched', 'on', true) = 'on'`,
  }),
};

export const COMPAT_RESTORE_ROW: Statement = {
  name: null,
  writes: true,
  features: [
    'array parameters',
    'bytea',
    'data-modifying CTE',
    'fence by a shared row lock',
    'multi-argument unnest',
  ],
  text: restoreText(ROW_LOCK),
};
