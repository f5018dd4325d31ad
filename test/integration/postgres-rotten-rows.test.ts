/**
 * Rows that are damaged on the disk of PostgreSQL: they are reported, repaired where possible, and the server is not
 * considered down.
 */
import { randomBytes } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import { RecordCalls, makeRow } from '../contracts/record-calls.ts';
import { postgresWorld } from '../support/postgres-world.ts';
import { runOnce } from '../support/postgres.ts';

test('a value and a number are rotten at the server: that speaks of rows, the value is put back, and PostgreSQL stays up', async () => {
  const world = await postgresWorld();
  onTestFinished(() => world.close());
  const record = world.open();
  await record.start();
  const calls = new RecordCalls(world, record);
  await calls.found(0, 'cluster');
  const row = { ...makeRow('a', 1, { value: randomBytes(100_000) }), slot: 7 };
  await calls.commit(1, [row, { ...makeRow('b', 1), slot: 8 }]);
  await runOnce(
    world.connectionString,
    `create extension pg_surgery;
     do $$ declare kept regclass := (select reltoastrelid from pg_class where oid = 'causeway.record'::regclass); a_chunk tid; begin
       execute 'select ctid from ' || kept || ' limit 1' into a_chunk;
       perform heap_force_kill(kept, array[a_chunk]);
     end $$;
     alter table causeway.record drop constraint record_checksum_check;
     update causeway.record set checksum = checksum + (1::int8 << 61) where key = 'b'`,
  );
  expect((await calls.readRows(7, '', 10)).error).toMatchObject({ ofRows: true });
  expect((await calls.scan({ slot: 7, key: '' }, 1)).error).toMatchObject({ ofRows: true });
  expect((await calls.versionsOf(7, '', 1)).value).toMatchObject([{ key: 'a', version: row.record.version }]);
  expect(await calls.restoreRow(1, row)).toEqual({ error: null, value: true });
  expect((await calls.readRows(7, '', 10)).value).toMatchObject([{ record: { value: row.record.value } }]);
  expect((await calls.readRows(8, '', 10)).error).toMatchObject({ ofRows: true });
  expect(record.health()).toEqual({ state: 'up' });
});
