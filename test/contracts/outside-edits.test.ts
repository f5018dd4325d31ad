/** Changes of rows by hand, on a real server; and what only its triggers can show. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { slotOf } from '../../src/core/placement/slots.ts';
import { runOnce } from '../support/postgres.ts';
import { emptiedWorld, postgresWorld, type PostgresWorld } from '../support/postgres-world.ts';
import { outsideEditContract, type EditedWorld } from './outside-edits.ts';
import { RecordCalls, makeRow } from './record-calls.ts';

let connectionString: string | null = null;

async function makeWorld(): Promise<EditedWorld & PostgresWorld> {
  const world = connectionString === null ? await postgresWorld() : await emptiedWorld(connectionString);
  ({ connectionString } = world);
  const sql = async (text: string, ...values: unknown[]): Promise<void> =>
    void (await runOnce(world.connectionString, text, values));
  const put = (key: string, value: string): Promise<void> =>
    sql(
      `insert into causeway.record (key, value) values ($1, $2) on conflict (key) do update set value = excluded.value`,
      key,
      Buffer.from(value),
    );
  return { ...world, hand: { put, remove: (key) => sql('delete from causeway.record where key = $1', key) } };
}

outsideEditContract('PostgreSQL', makeWorld);

describe('what the triggers take for a change by hand', () => {
  let world: EditedWorld & PostgresWorld;
  let calls: RecordCalls;

  beforeEach(async () => {
    world = await makeWorld();
    calls = new RecordCalls(world, await world.connect());
    await calls.found(0, 'cluster');
  });
  afterEach(() => world.close());

  const sql = async (text: string, values: unknown[] = []): Promise<unknown[]> =>
    (await runOnce(world.connectionString, text, values)).rows as unknown[];
  const notes = (): Promise<unknown[]> => sql('select key, deleted from causeway.outside_edit order by id');

  test('nothing that the cluster does itself: rows written, replaced and removed', async () => {
    await calls.commit(1, [makeRow('a', 1), makeRow('b', 1)]);
    await calls.commit(1, [makeRow('a', 2), makeRow('b', 2, { tombstone: true, value: new Uint8Array(0) })]);
    const row = makeRow('b', 2);
    await calls.raiseFloors(1, [{ slot: row.slot, counter: 3, turn: 0 }]);
    const doomed = { key: 'b', version: row.record.version, tombstone: true };
    expect((await calls.removeRows(1, [doomed], 0)).value).toEqual(['removed']);
    await world.exchange('a', 'rotten');
    expect((await calls.restoreRow(1, makeRow('a', 2))).value).toBe(true);
    await sql(`update causeway.record set value = 'by hand'`);
    expect((await calls.restoreRow(1, makeRow('a', 2))).value).toBe(false);
    await calls.commit(1, [makeRow('a', 3)]);
    expect(await notes()).toEqual([{ key: 'a', deleted: false }]);
    await sql('delete from causeway.outside_edit');
    expect(await notes()).toEqual([]);
  });

  test('nor whoever gives a version: an earlier program, a copy of whole rows; nor one who asks not to be looked at', async () => {
    await sql(`insert into causeway.record (key, slot, value, version, origin, created_at, updated_at, deleted, checksum)
      values ('a', 1, 'x', 4097, 0, now(), now(), false, 1)`);
    await sql(`update causeway.record set value = 'y', version = 8193, checksum = 2 where key = 'a'`);
    await sql(
      `set causeway.unwatched = 'on'; update causeway.record set value = 'z'; delete from causeway.record`,
    );
    expect(await notes()).toEqual([]);
    expect((await calls.read(['a'])).value).toEqual([undefined]);
  });

  test('what changes nothing that a reader sees is none, and a bare statement of many rows is one for each', async () => {
    await calls.commit(1, [makeRow('a', 1), makeRow('b', 1)]);
    await sql(`update causeway.record set value = value, expires_at = 'infinity'`);
    expect(await notes()).toEqual([]);
    await sql(`update causeway.record set expires_at = now() + interval '1 hour'`);
    await sql(`delete from causeway.record`);
    expect(await notes()).toMatchObject([
      ...[
        { key: 'a', deleted: false },
        { key: 'b', deleted: false },
      ],
      ...[
        { key: 'a', deleted: true },
        { key: 'b', deleted: true },
      ],
    ]);
  });

  test('times that no number holds exactly: read as the latest that one does, so that other rows and changes can be read', async () => {
    await calls.commit(1, [makeRow('a', 1), makeRow('b', 1)]);
    const late = `timestamptz '294000-01-01 00:00:00+00'`;
    await sql(
      `update causeway.record set expires_at = ${late}, created_at = ${late}, updated_at = ${late} where key = 'a'`,
    );
    await sql(`update causeway.record set value = 'by hand' where key = 'b'`);
    await sql(`insert into causeway.record (key, value, created_at) values ('c', 'new', ${late})`);
    expect((await calls.read(['a', 'b', 'c'])).value).toMatchObject([
      { record: { key: 'a', expiresAt: Number.MAX_SAFE_INTEGER } },
      { record: { key: 'b' } },
      { record: { key: 'c', createdAt: Number.MAX_SAFE_INTEGER } },
    ]);
    const edits = await new Promise((resolve) =>
      calls.record.edits!.readEdits(0, 100, 0, (error, found) => resolve(error ?? found)),
    );
    expect(edits).toMatchObject([
      { key: 'a', expiresAt: Number.MAX_SAFE_INTEGER },
      { key: 'b' },
      { key: 'c' },
    ]);
  });

  test('a role that may change rows and nothing else: noted all the same', async () => {
    await calls.commit(1, [makeRow('a', 1)]);
    await sql(`do $$ begin create role clerk; exception when duplicate_object then null; end $$`);
    await sql(
      `grant usage on schema causeway to clerk; grant select, insert, update, delete on causeway.record to clerk`,
    );
    await sql(`set role clerk; update causeway.record set value = 'x' where key = 'a';
      insert into causeway.record (key, value) values ('b', 'y'); delete from causeway.record where key = 'a'`);
    expect(await notes()).toMatchObject([{ key: 'a' }, { key: 'b' }, { key: 'a', deleted: true }]);
  });

  test('a table is emptied at once, a key is renamed: refused, with what to do', async () => {
    await calls.commit(1, [makeRow('a', 1)]);
    await expect(sql('truncate causeway.record')).rejects.toMatchObject({
      hint: expect.stringContaining('DELETE FROM') as string,
    });
    await expect(sql(`update causeway.record set key = 'b'`)).rejects.toMatchObject({
      hint: expect.stringContaining('Insert') as string,
    });
  });

  test('keys put there by hand are found in the slots where a node looks for them', async () => {
    const keys = [
      'plain',
      'with {a tag} in it',
      '{}empty',
      '{open',
      '}{a}{b}',
      'grüße {é}',
      '123456789',
      'x{y',
    ];
    const rows = await sql('select causeway.slot_of(k) as slot from unnest($1::text[]) k', [keys]);
    expect(rows).toEqual(keys.map((key) => ({ slot: slotOf(key) })));
  });
});
