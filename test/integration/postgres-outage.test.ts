/** PostgreSQL in trouble: what the adapter says must remain true, and it must recover by itself. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import pg from 'pg';
import { LOCK_TIMEOUT_MS } from '../../src/adapters/postgres/connection.ts';
import type { PostgresRecord } from '../../src/adapters/postgres/postgres-record.ts';
import { unprepared } from '../../src/base/sql-statement.ts';
import { makeVersion } from '../../src/core/version.ts';
import type { RecordPlace, RecordRow } from '../../src/ports/system-of-record.ts';
import { sealRecord } from '../../src/wire/record-codec.ts';
import { RecordCalls, makeRow } from '../contracts/record-calls.ts';
import { openConnection, patientWriter, untilWaiting } from '../support/own-connection.ts';
import { postgresWorld, type PostgresWorld } from '../support/postgres-world.ts';
import { runOnce, testServer } from '../support/postgres.ts';

const COMMITTED = { kind: 'committed' };
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

let world: PostgresWorld;
let record: PostgresRecord;
let calls: RecordCalls;

beforeEach(async () => {
  world = await postgresWorld();
  await open();
  expect((await calls.found(0, 'cluster')).error).toBeNull();
});
// What one test leaves behind must not affect the next one.
afterEach(async () => {
  await world.close();
  await (await testServer()).heal();
});

async function open(limits: { statementTimeoutMs?: number } = {}): Promise<void> {
  record = world.open({ connectTimeoutMs: 1_000, ...limits });
  await record.start();
  calls = new RecordCalls(world, record);
}

/** With short statement timeouts, for statements that never end. */
async function openImpatient(): Promise<void> {
  await record.close();
  await open({ statementTimeoutMs: 600 });
}

async function untilHealth(state: 'up' | 'down'): Promise<void> {
  const giveUpAt = Date.now() + 20_000;
  while (record.health().state !== state) {
    if (Date.now() > giveUpAt)
      throw new Error(`health did not become ${state}: ${JSON.stringify(record.health())}`);
    await sleep(5);
  }
}

/** A connection of someone else, in a transaction until `release`. */
async function hold(sql: string): Promise<{ release(): Promise<void> }> {
  const client = new pg.Client({ connectionString: world.connectionString });
  client.on('error', () => {});
  await client.connect();
  await client.query('begin');
  await client.query(sql);
  return {
    release: async () => {
      await client.query('rollback');
      await client.end();
    },
  };
}

describe('the server goes away', () => {
  test('killed and restarted under load: no acknowledged row is lost, health goes down and comes back', async () => {
    const server = await testServer();
    const acknowledged: string[] = [];
    let running = true;
    let next = 0;
    const writer = async (): Promise<void> => {
      while (running) {
        const rows = Array.from({ length: 20 }, () => makeRow(`key ${(next += 1)}`, 1));
        const { error, value } = await calls.commit(1, rows);
        if (error !== null) await sleep(10);
        else rows.forEach((row, i) => value[i]!.kind === 'committed' && acknowledged.push(row.record.key));
      }
    };
    const writers = [writer(), writer(), writer(), writer()];
    while (acknowledged.length < 1_000) await sleep(5);
    await server.kill();
    await untilHealth('down');
    const before = acknowledged.length;
    await server.start();
    await untilHealth('up');
    while (acknowledged.length < before + 1_000) await sleep(5);
    running = false;
    await Promise.all(writers);

    const found = await runOnce(world.connectionString, 'select key from kv_store');
    const standing = new Set(found.rows.map((row: { key: string }) => row.key));
    expect(acknowledged.filter((key) => !standing.has(key))).toEqual([]);
  });

  test('killed while nothing was asked of it: noticed, refused while it lasts, and well again', async () => {
    const server = await testServer();
    await server.kill();
    await untilHealth('down');
    expect((await calls.commit(1, [makeRow('a', 1)])).error).toMatchObject({
      kind: 'refused',
      fenced: false,
    });
    await server.start();
    await untilHealth('up');
    expect((await calls.commit(1, [makeRow('a', 1)])).value).toEqual([COMMITTED]);
  });

  test('a backend that stops answering: unknown by the deadline, and its connection is never used again', async () => {
    await openImpatient();
    await calls.commit(1, [makeRow('a', 1)]);
    const { rows } = await runOnce(
      world.connectionString,
      `select pid from pg_stat_activity where datname = current_database() and application_name = 'causeway'`,
    );
    const pids = rows.map((row: { pid: number }) => row.pid);
    for (const pid of pids) process.kill(pid, 'SIGSTOP');
    const { error } = await calls.commit(1, [makeRow('b', 1)]);
    expect(error).toMatchObject({ kind: 'unknown' });
    await untilHealth('up');
    expect((await calls.commit(1, [makeRow('b', 2)])).value).toEqual([COMMITTED]);
    for (const pid of pids) process.kill(pid, 'SIGCONT');
    await sleep(50);
    const { value } = await calls.read(['a', 'b']);
    expect(value.map((row) => row?.record.version)).toEqual([makeVersion(1, 1), makeVersion(2, 1)]);
  });
});

test('the server became a standby and is promoted: not used meanwhile, then up, with another identity', async () => {
  const before = record.seen()!;
  const server = await testServer();
  await server.demote();
  await untilHealth('down');
  expect((await calls.commit(1, [makeRow('a', 1)])).error).toMatchObject({ kind: 'refused' });
  while (!JSON.stringify(record.health()).includes('not a primary')) await sleep(5);
  await server.promote();
  await untilHealth('up');
  expect((await calls.commit(1, [makeRow('a', 1)])).value).toEqual([COMMITTED]);
  const after = record.seen()!;
  expect(after.system).toBe(before.system);
  expect(after.timeline).toBeGreaterThan(before.timeline);
});

test('the server is chosen: one of a later timeline is told and not used before it is chosen, another never', async () => {
  const server = await testServer();
  const { timeline, system } = record.seen()!;
  const founding = { clusterId: 'cluster', life: 1 };
  record.choose({ system, timeline, ...founding });
  await server.demote();
  await server.promote();
  while (!JSON.stringify(record.health()).includes('has failed over')) await sleep(5);
  expect((await calls.commit(1, [makeRow('a', 1)])).error).toMatchObject({ kind: 'refused' });
  expect(record.seen()).toEqual({ system, timeline: timeline + 1, clusterId: 'cluster', life: 1 });

  record.choose({ system, timeline: timeline + 1, ...founding });
  await untilHealth('up');
  expect((await calls.commit(1, [makeRow('a', 1)])).value).toEqual([COMMITTED]);

  const elsewhere = world.open();
  elsewhere.choose({ system: `${system}0`, timeline, ...founding });
  const refused = elsewhere.start().catch((error: unknown) => String(error));
  while (!JSON.stringify(elsewhere.health()).includes('another PostgreSQL')) await sleep(5);
  expect(elsewhere.health().state).toBe('down');
  await elsewhere.close();
  expect(await refused).toContain('closed');
});

test('somebody has given rows endless times: the others are read beside them, and PostgreSQL stays up', async () => {
  await calls.commit(1, [makeRow('a', 1), makeRow('b', 1), makeRow('c', 1)]);
  await runOnce(
    world.connectionString,
    `update causeway.record set expires_at = 'infinity' where key = 'a';
     update causeway.record set updated_at = '-infinity' where key = 'b'`,
  );
  const { value } = await calls.read(['a', 'b', 'c']);
  expect(value.map((row) => sealRecord(row!.record).checksum === row!.checksum)).toEqual([true, false, true]);
  expect(value[0]!.record.expiresAt).toBe(0);
  expect((await calls.scan(null, 100)).value.length).toBe(3);
  expect(record.health()).toEqual({ state: 'up' });
});

test('large values: a page is cut short by its bytes, and the next one goes on', async () => {
  const value = Buffer.alloc(1_000_000, 'x');
  const keys = Array.from({ length: 9 }, (_, i) => `large ${i}`);
  for (const key of keys)
    expect((await calls.commit(1, [makeRow(key, 1, { value })])).value).toEqual([COMMITTED]);
  const pages: number[] = [];
  for (let after: RecordPlace | null = null; ;) {
    const { value: page } = await calls.scan(after, 100);
    pages.push(page.length);
    if (page.length === 0) break;
    after = { slot: page.at(-1)!.slot, key: page.at(-1)!.record.key };
  }
  expect(pages).toEqual([5, 4, 0]);
});

describe('a statement does not come through', () => {
  test('blocked by a lock: the server ends it, unknown, and later it is written', async () => {
    await openImpatient();
    const lock = await hold('lock table causeway.record in exclusive mode');
    const { error } = await calls.commit(1, [makeRow('a', 1)]);
    expect(error).toMatchObject({ kind: 'unknown' });
    expect(error).toMatchObject({ ofRows: false, message: expect.stringContaining('57014') as string });
    await lock.release();
    await untilHealth('up');
    expect((await calls.commit(1, [makeRow('a', 1)])).value).toEqual([COMMITTED]);
  });

  test('a row is held by somebody: it is told that this speaks of rows, and the server stays up', async () => {
    const patient = world.open({ statementTimeoutMs: 20_000 });
    await patient.start();
    await calls.commit(1, [makeRow('a', 1)]);
    const lock = await hold(`select from causeway.record where key = 'a' for update`);
    const { error } = await new RecordCalls(world, patient).commit(1, [makeRow('a', 2), makeRow('b', 2)]);
    expect(error).toMatchObject({ kind: 'unknown', ofRows: true });
    expect(patient.health()).toEqual({ state: 'up' });
    await lock.release();
  });

  test('a row is held, and somebody else waits for it, too: PostgreSQL does not say so, and it speaks of rows all the same', async () => {
    const patient = world.open({ statementTimeoutMs: 20_000 });
    await patient.start();
    await calls.commit(1, [makeRow('a', 1)]);
    const lock = await hold(`select from causeway.record where key = 'a' for update`);
    const waiter = hold(`select from causeway.record where key = 'a' for update`);
    await untilWaiting(world.connectionString, 1);
    const { error } = await new RecordCalls(world, patient).commit(1, [makeRow('a', 2), makeRow('b', 2)]);
    expect(error).toMatchObject({ kind: 'unknown', ofRows: true });
    expect(patient.health()).toEqual({ state: 'up' });
    await lock.release();
    await (await waiter).release();
  });

  test('a table is held for longer than a row may be: it is waited for, as long as a statement may take, and the server stays up', async () => {
    const patient = world.open({ statementTimeoutMs: 20_000 });
    await patient.start();
    const lock = await hold('lock table causeway.record in exclusive mode');
    const written = new RecordCalls(world, patient).commit(1, [makeRow('a', 1)]);
    await untilWaiting(world.connectionString, 1);
    await sleep(LOCK_TIMEOUT_MS + 200);
    expect(patient.health()).toEqual({ state: 'up' });
    await lock.release();
    expect((await written).error).toMatchObject({ kind: 'unknown', ofRows: true });
  });

  test('more calls than may wait: the rest is refused at once, all are answered', async () => {
    await openImpatient();
    const lock = await hold('lock table causeway.record in exclusive mode');
    const answers = Array.from({ length: 400 }, (_, i) => calls.commit(1, [makeRow(`k${i}`, 1)]));
    const errors = (await Promise.all(answers)).map(({ error }) => error);
    expect(errors).not.toContain(null);
    const turnedAway = errors.filter(
      (error) => error!.kind === 'refused' && error!.message.includes('already wait'),
    );
    expect(turnedAway.length).toBeGreaterThanOrEqual(400 - 256 - 3);
    await lock.release();
  });

  test('content that PostgreSQL rejects: the message says that repeating will not help, health stays up', async () => {
    const { error } = await calls.commit(1, [makeRow('a', 1), { ...makeRow('b', 1), slot: 99_999 }]);
    expect(error).toMatchObject({ kind: 'unknown' });
    expect(error).toMatchObject({
      ofRows: true,
      message: expect.stringMatching(/rejects the content.*23514/) as string,
    });
    expect(record.health()).toEqual({ state: 'up' });
    expect((await calls.read(['a'])).value).toEqual([undefined]);
  });

  test('a loser of a serialization conflict is repeated by itself', async () => {
    await runOnce(world.connectionString, 'create sequence causeway.attempts');
    await trigger(
      `if nextval('causeway.attempts') < 3 then raise exception using errcode = '40001'; end if; return new;`,
    );
    expect((await calls.commit(1, [makeRow('a', 1)])).value).toEqual([COMMITTED]);
  });

  test('done, but with a warning (a standby was not waited for): unknown, never success', async () => {
    await trigger(`raise warning 'not replicated'; return new;`);
    const { error } = await calls.commit(1, [makeRow('a', 1)]);
    expect(error).toMatchObject({ kind: 'unknown' });
    expect(error!.message).toContain('not replicated');
  });

  test('the same, told by a server that speaks another language: its code says that it is a warning', async () => {
    const connection = await openConnection(world.connectionString);
    const write = connection.run(unprepared('select 1', [], true), [], performance.now() + 5_000);
    connection.raw.emit('notice', { severity: 'WARNUNG', code: '01000', message: 'nicht repliziert' });
    await expect(write).rejects.toMatchObject({
      kind: 'unknown',
      message: expect.stringContaining('nicht repliziert') as string,
    });
    connection.destroy();
  });

  test('a row that was neither written nor can be found: unknown, never success', async () => {
    await trigger(`if new.key = 'a' then return null; end if; return new;`);
    const { error } = await calls.commit(1, [makeRow('a', 1), makeRow('b', 1)]);
    expect(error).toMatchObject({ kind: 'unknown' });
  });

  const trigger = (body: string): Promise<unknown> =>
    runOnce(
      world.connectionString,
      `create function causeway.odd() returns trigger language plpgsql as $$ begin ${body} end $$;
       create trigger odd before insert on causeway.record for each row execute function causeway.odd()`,
    );
});

describe('a founding meets statements of the old life', () => {
  test('one that is under way: waited for, and its version is counted', async () => {
    await calls.commit(1, [makeRow('a', 1)]);
    const write = await patientWriter(world.connectionString);
    const lock = await hold(`select from causeway.record where key = 'a' for update`);
    const late = write(makeRow('a', 9));
    await untilWaiting(world.connectionString, 1);
    const founding = calls.found(1, 'second');
    await untilWaiting(world.connectionString, 2);
    await lock.release();
    expect(await late).toEqual([COMMITTED]);
    expect((await founding).value).toMatchObject({ life: 2, highestVersion: makeVersion(9, 1) });
  });

  test('one that comes while the founding is under way: held back, then fenced', async () => {
    await calls.commit(1, [makeRow('a', 1)]);
    const other = new RecordCalls(world, await world.connect());
    const write = await patientWriter(world.connectionString);
    const lock = await hold('lock table causeway.cluster in row exclusive mode');
    const founding = other.found(1, 'second');
    await untilWaiting(world.connectionString, 1);
    const stale = write(makeRow('a', 9)).catch((error: unknown) => error);
    await untilWaiting(world.connectionString, 2);
    await lock.release();
    expect((await founding).value).toMatchObject({ life: 2, highestVersion: makeVersion(1, 1) });
    expect(await stale).toMatchObject({ kind: 'refused', fenced: true });
    expect((await calls.read(['a'])).value[0]!.record.version).toBe(makeVersion(1, 1));
  });
});

test('batches with the same keys in opposite orders from four nodes: not one deadlock', async () => {
  const nodes = await Promise.all(
    [1, 2, 3, 4].map(async () => new RecordCalls(world, await world.connect())),
  );
  const batch = (id: number, round: number): RecordRow[] => {
    const rows = Array.from({ length: 300 }, (_, i) =>
      makeRow(`k${i}`, round, { version: makeVersion(round, id + 1) }),
    );
    return id % 2 === 0 ? rows : rows.reverse();
  };
  const writer = async (id: number): Promise<void> => {
    for (let round = 1; round <= 12; round += 1) {
      expect((await nodes[id % 4]!.commit(1, batch(id, round))).error).toBeNull();
    }
  };
  await Promise.all(Array.from({ length: 8 }, (_, id) => writer(id)));
  await world.close();
  // A backend reports its counters when it ends.
  const others = `select from pg_stat_activity
    where datname = current_database() and application_name = 'causeway'`;
  while ((await runOnce(world.connectionString, others)).rowCount !== 0) await sleep(20);
  const text = 'select deadlocks::int from pg_stat_database where datname = current_database()';
  expect((await runOnce(world.connectionString, text)).rows).toEqual([{ deadlocks: 0 }]);
});

test('closed: what is under way is answered, what comes later is refused', async () => {
  const underWay = calls.commit(1, [makeRow('a', 1)]);
  const closed = record.close();
  expect((await calls.commit(1, [makeRow('b', 1)])).error).toMatchObject({ kind: 'refused' });
  expect((await underWay).value).toEqual([COMMITTED]);
  await closed;
});
