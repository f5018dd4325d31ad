/**
 * Takes over the table of the first system. `kv_store` becomes a view of what Causeway holds; where a table
 * of that name stands, its rows are imported first and the table is kept under another name. Import goes in
 * chunks that are committed one by one, so that a start that was interrupted goes on where it was; the rename
 * and a last comparison happen in one transaction with the table locked, so that nothing written to it
 * meanwhile is left behind.
 */
import { assert } from '../../base/assert.ts';
import type { Telemetry } from '../../ports/telemetry.ts';
import {
  KEY_BYTES_MAX,
  RECORD_BATCH_BYTES_MAX,
  RECORD_BATCH_ROWS_MAX,
  VALUE_BYTES_MAX,
} from '../../core/limits.ts';
import { EMPTY_VALUE, ORIGIN_OUTSIDE, type KeyRecord } from '../../core/record.ts';
import { NODE_ID_OUTSIDE, makeVersion } from '../../core/version.ts';
import type { RecordRow } from '../../ports/system-of-record.ts';
import { sealRecord } from '../../wire/record-codec.ts';
import type { Connection, Fields } from './connection.ts';
import { SetupError } from './record-failure.ts';
import { compareKeys, packRows } from './record-rows.ts';
import { plain } from './statements.ts';

/** Milliseconds. A statement of the adoption may have to read the whole table. */
const STEP_TIMEOUT_MS = 600_000;
/** Milliseconds. Waiting to lock the table blocks the first system: rather give up and try again. */
const TABLE_LOCK_TIMEOUT_MS = 5_000;
/** Milliseconds between looks at whether another node has finished. */
const LOCK_POLL_MS = 200;
/** Any number that no other user of the database locks: "causeway", squeezed into 31 bits. */
const ADOPTION_LOCK = 1_667_331_701;
const OFFENDERS_SHOWN = 5;
const IMPORTED_VERSION = makeVersion(1, NODE_ID_OUTSIDE);
const EXPECTED_SHAPE =
  'expected is the table of the first system: key (text or varchar), value (bytea), created_at (timestamp or ' +
  'timestamptz). Rename or move what stands there, then start again';

export interface Adoption {
  /** Holds the lock, reads the table and does the last step; to be ended afterwards, whatever came of it. */
  readonly reader: Connection;
  /** Commits the chunks while `reader` has its cursor open. */
  readonly writer: Connection;
  readonly slotOf: (key: string) => number;
  readonly telemetry: Telemetry;
  /** A time of performance.now() until which another node's adoption is waited for. */
  readonly deadline: number;
}

export async function adopt(adoption: Adoption): Promise<void> {
  if (await isViewInPlace(adoption.reader)) return;
  for (const connection of [adoption.reader, adoption.writer]) {
    await ask(connection, `set statement_timeout = ${STEP_TIMEOUT_MS}`);
    await ask(connection, `set idle_in_transaction_session_timeout = ${STEP_TIMEOUT_MS}`);
  }
  await takeLock(adoption);
  if (await isViewInPlace(adoption.reader)) return;
  if (await isTableThere(adoption.reader)) await adoptTable(adoption);
  else await ask(adoption.reader, CREATE_VIEW);
}

/** Held until the connection ends, which whoever opened it sees to. */
async function takeLock({ reader, deadline }: Adoption): Promise<void> {
  for (;;) {
    const [row] = await ask(reader, `select pg_try_advisory_lock(${ADOPTION_LOCK})`);
    if (row![0] === true) return;
    if (performance.now() > deadline) throw new Error('another node is still adopting the table kv_store');
    await new Promise((resolve) => setTimeout(resolve, LOCK_POLL_MS));
  }
}

async function adoptTable(adoption: Adoption): Promise<void> {
  const { reader, writer, telemetry } = adoption;
  const chunkRows = await inspectTable(reader);
  telemetry.event('info', 'postgres.adoption.begun', { chunkRows });
  await ask(reader, 'begin');
  const importedFirst = await importRows(adoption, writer, MISSING_ROWS, chunkRows);
  await ask(reader, 'commit');

  await ask(reader, 'begin');
  await ask(reader, `set local lock_timeout = ${TABLE_LOCK_TIMEOUT_MS}`);
  await ask(reader, 'lock table public.kv_store in access exclusive mode');
  const importedLast = await importRows(adoption, reader, MISSING_OR_CHANGED_ROWS, chunkRows);
  await ask(reader, 'alter table public.kv_store rename to kv_store_before_causeway');
  await ask(reader, CREATE_VIEW);
  await ask(reader, 'commit');
  telemetry.event('info', 'postgres.adoption.done', { rowCount: importedFirst + importedLast });
}

/** Returns the number of rows a chunk may have. Changes nothing; throws before anything is changed. */
async function inspectTable(reader: Connection): Promise<number> {
  const columns = new Map((await ask(reader, COLUMNS)).map((row) => [row[0] as string, row[1] as string]));
  const fits =
    ['text', 'character varying'].includes(columns.get('key') ?? '') &&
    columns.get('value') === 'bytea' &&
    (columns.get('created_at') ?? '').startsWith('timestamp');
  if (!fits) {
    const found = [...columns].map(([name, type]) => `${name} ${type}`).join(', ');
    throw new SetupError(
      `public.kv_store cannot be adopted: it has the columns (${found}); ${EXPECTED_SHAPE}`,
    );
  }
  const [backup] = await ask(reader, `select to_regclass('public.kv_store_before_causeway') is not null`);
  if (backup![0] === true) {
    throw new SetupError(
      'public.kv_store cannot be adopted: a table kv_store_before_causeway already stands, under which it would be kept',
    );
  }
  const offenders = await ask(reader, OFFENDERS);
  if (offenders.length > 0)
    throw offence(offenders.map((row) => [row[0] as string | null, row[1] as string]));
  const [largest] = await ask(
    reader,
    'select coalesce(max(octet_length(value)), 0)::int4 from public.kv_store',
  );
  const rowsOfLargest = Math.floor(RECORD_BATCH_BYTES_MAX / Math.max(1, largest![0] as number));
  return Math.min(RECORD_BATCH_ROWS_MAX, Math.max(1, rowsOfLargest));
}

async function importRows(
  adoption: Adoption,
  writer: Connection,
  selection: string,
  chunkRows: number,
): Promise<number> {
  const { reader } = adoption;
  let count = 0;
  await ask(reader, `declare causeway_adoption no scroll cursor for ${selection}`);
  for (;;) {
    const chunk = await ask(reader, `fetch ${chunkRows} from causeway_adoption`);
    if (chunk.length === 0) break;
    const rows = chunk.map((fields) => importedRow(fields, adoption.slotOf)).sort(compareKeys);
    await ask(writer, IMPORT, packRows(rows));
    count += rows.length;
  }
  await ask(reader, 'close causeway_adoption');
  return count;
}

function importedRow(fields: Fields, slotOf: (key: string) => number): RecordRow {
  const [key, value, createdMs, fault] = fields as [string | null, Uint8Array | null, number, string | null];
  if (fault !== null || key === null) throw offence([[key, fault ?? 'no key']]);
  const record: KeyRecord = {
    key,
    version: IMPORTED_VERSION,
    origin: ORIGIN_OUTSIDE,
    tombstone: false,
    value: value ?? EMPTY_VALUE,
    createdAt: createdMs,
    updatedAt: createdMs,
    expiresAt: 0,
    operationId: null,
  };
  return { record, slot: slotOf(key), checksum: sealRecord(record).checksum };
}

function offence(offenders: readonly (readonly [string | null, string])[]): SetupError {
  const list = offenders
    .map(([key, fault]) => `${JSON.stringify(key?.slice(0, 60) ?? null)} (${fault})`)
    .join(', ');
  return new SetupError(
    `public.kv_store cannot be adopted and was left as it is: some of its rows break the limits, for example ${list}. ` +
      `Keys have 1 to ${KEY_BYTES_MAX} bytes and stand once, values have at most ${VALUE_BYTES_MAX} bytes. ` +
      'Correct or remove these rows, then start again',
  );
}

async function isViewInPlace(connection: Connection): Promise<boolean> {
  const [row] = await ask(connection, RELATION);
  if (row === undefined || row[0] !== 'v') return false;
  if ((row[1] as string).includes('causeway.live')) return true;
  throw new SetupError(`public.kv_store is a view of something else; ${EXPECTED_SHAPE}`);
}

async function isTableThere(connection: Connection): Promise<boolean> {
  const [row] = await ask(connection, RELATION);
  if (row === undefined) return false;
  if (row[0] === 'r' || row[0] === 'p') return true;
  throw new SetupError(`public.kv_store is neither a table nor a view; ${EXPECTED_SHAPE}`);
}

function ask(
  connection: Connection,
  text: string,
  values: readonly unknown[] = [],
): Promise<readonly Fields[]> {
  return connection.run(plain(text), values, performance.now() + STEP_TIMEOUT_MS);
}

const RELATION = `select c.relkind::text, case when c.relkind = 'v' then pg_get_viewdef(c.oid) end
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname = 'public' and c.relname = 'kv_store'`;

const COLUMNS = `select attname::text, format_type(atttypid, null) from pg_attribute
where attrelid = 'public.kv_store'::regclass and attnum > 0 and not attisdropped order by attnum`;

/** What makes a row unfit, or null. A text of PostgreSQL cannot hold NUL, so that needs no test. */
const FAULT = `case
  when k.key is null then 'no key'
  when k.key = '' then 'empty key'
  when octet_length(k.key) > ${KEY_BYTES_MAX} then 'key of ' || octet_length(k.key) || ' bytes'
  when k.value is null then 'no value'
  when octet_length(k.value) > ${VALUE_BYTES_MAX} then 'value of ' || octet_length(k.value) || ' bytes'
end`;

const OFFENDERS = `(select left(k.key, 60)::text, ${FAULT} from public.kv_store k where ${FAULT} is not null limit ${OFFENDERS_SHOWN})
union all
(select left(k.key, 60)::text, 'stands ' || count(*) || ' times' from public.kv_store k group by k.key having count(*) > 1
  limit ${OFFENDERS_SHOWN})`;

/** A moment without a finite time (it may be null or infinite) becomes the moment of the adoption. */
const SOURCE = `select k.key::text, k.value,
  floor(extract(epoch from case when isfinite(k.created_at) then k.created_at::timestamptz else now() end) * 1000)::bigint,
  ${FAULT}
from public.kv_store k left join causeway.record r on r.key = k.key::text collate "C"`;

const MISSING_ROWS = `${SOURCE} where r.key is null`;

const MISSING_OR_CHANGED_ROWS = `${MISSING_ROWS}
or (r.version = ${IMPORTED_VERSION} and r.origin = ${ORIGIN_OUTSIDE} and r.value is distinct from k.value)`;

/** Replaces nothing but what an earlier, interrupted adoption had imported; and nothing takes a removed row's place. (R24) */
const IMPORT = `insert into causeway.record as r
  (key, slot, value, version, origin, created_at, updated_at, expires_at, deleted, checksum, operation_id)
select t.* from unnest($1::text[], $2::int4[], $3::bytea[], $4::int8[], $5::int2[], $6::timestamptz[],
    $7::timestamptz[], $8::timestamptz[], $9::bool[], $10::int8[], $11::bytea[])
  as t(key, slot, value, version, origin, created_at, updated_at, expires_at, deleted, checksum, operation_id)
where t.version > coalesce((select f.version from causeway.slot_floor f where f.slot = t.slot), -1)
on conflict (key) do update set
  value = excluded.value, created_at = excluded.created_at, updated_at = excluded.updated_at, checksum = excluded.checksum
where r.version = excluded.version and r.origin = excluded.origin`;

const CREATE_VIEW = `create view public.kv_store as
select key, value, created_at, updated_at, expires_at, version from causeway.live`;

assert(VALUE_BYTES_MAX <= RECORD_BATCH_BYTES_MAX, 'a chunk must hold the largest value');
