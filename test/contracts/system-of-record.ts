/**
 * The contract of the system of record, for the real and the simulated one. An implementation provides a world of its
 * own and runs these tests.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SCRUB_PAGE_BYTES_MAX } from '../../src/core/limits.ts';
import { makeVersion } from '../../src/core/version.ts';
import type { WholeRow } from '../../src/ports/row-scrub.ts';
import type { RecordPlace, RecordRow, RowVersion } from '../../src/ports/system-of-record.ts';
import { sealRecord } from '../../src/wire/record-codec.ts';
import { RecordCalls, makeRow } from './record-calls.ts';
import type { RecordWorld } from './record-calls.ts';
import { adoptionStories } from './record-adoption.ts';
import { floorStories } from './record-floors.ts';
import { lifeStories } from './record-lives.ts';

const COMMITTED = { kind: 'committed' };

export function systemOfRecordContract(name: string, makeWorld: () => Promise<RecordWorld>): void {
  describe(`${name}: the contract of the system of record`, () => {
    let world: RecordWorld;
    let calls: RecordCalls;

    beforeEach(async () => {
      world = await makeWorld();
      calls = new RecordCalls(world, await world.connect());
    });
    afterEach(() => world.close());

    const connect = async (): Promise<RecordCalls> => new RecordCalls(world, await world.connect());

    const standing = async (key: string): Promise<RecordRow> => {
      const { error, value } = await calls.read([key]);
      expect(error).toBeNull();
      return value[0]!;
    };

    describe('founding', () => foundingStories(() => calls, connect));

    describe('lives', () => lifeStories(() => calls, connect));

    describe('another one, accepted', () => adoptionStories(() => calls, connect));

    describe('floors', () => floorStories(() => calls));

    describe('rows', () => {
      beforeEach(async () => void (await calls.found(0, 'cluster')));
      rowStories(() => calls, standing);
      describe('of one slot', () => slotStories(() => calls));
      const exchange = (key: string, value: string): Promise<void> => world.exchange(key, value);
      describe('that rot', () => scrubStories(() => calls, exchange, standing));
      describe('from many writers', () => concurrencyStories(() => calls, connect, standing));
    });
  });
}

function foundingStories(calls: () => RecordCalls, connect: () => Promise<RecordCalls>): void {
  test('a database that has never seen a founding: null', async () => {
    expect(await calls().readLife()).toEqual({ error: null, value: null });
  });

  test('the first founding takes life 1 and is told to everyone', async () => {
    const { error, value } = await calls().found(0, 'ours');
    expect(error).toBeNull();
    expect(value).toMatchObject({ clusterId: 'ours', life: 1, highestVersion: 0, hasRows: false });
    expect(value!.identity.system).not.toBe('');
    const other = await connect();
    expect((await other.readLife()).value).toMatchObject({ clusterId: 'ours', life: 1 });
  });

  test('two foundings of the same life: one wins, both learn which', async () => {
    const other = await connect();
    const [one, two] = await Promise.all([calls().found(0, 'one'), other.found(0, 'two')]);
    expect(one.value).toEqual(two.value);
    expect(one.value!.life).toBe(1);
    expect((await calls().found(0, 'three')).value).toEqual(one.value);
  });

  test('a later founding tells the highest version and fences the earlier life', async () => {
    await calls().found(0, 'first');
    await calls().commit(1, [makeRow('a', 5), makeRow('b', 9)]);
    const { value } = await calls().found(1, 'second');
    expect(value).toMatchObject({
      clusterId: 'second',
      life: 2,
      highestVersion: makeVersion(9, 1),
      hasRows: true,
    });

    const stale = await calls().commit(1, [makeRow('a', 50), makeRow('c', 1)]);
    expect(stale.error).toMatchObject({ kind: 'refused', fenced: true });
    const { value: rows } = await calls().read(['a', 'c']);
    expect(rows[0]!.record.version).toBe(makeVersion(5, 1));
    expect(rows[1]).toBeUndefined();
    expect((await calls().commit(2, [makeRow('a', 50)])).value).toEqual([COMMITTED]);
  });

  test('a life that is not founded yet, or on a database without founding: fenced, nothing written', async () => {
    expect((await calls().commit(1, [makeRow('a', 1)])).error).toMatchObject({
      kind: 'refused',
      fenced: true,
    });
    await calls().found(0, 'ours');
    expect((await calls().commit(2, [makeRow('a', 1)])).error).toMatchObject({
      kind: 'refused',
      fenced: true,
    });
    expect((await calls().read(['a'])).value).toEqual([undefined]);
  });
}

function rowStories(calls: () => RecordCalls, standing: (key: string) => Promise<RecordRow>): void {
  test('what is read is byte for byte the record that was written', async () => {
    const rows = [
      makeRow('plain', 1),
      makeRow('empty value', 2, { value: new Uint8Array(0) }),
      makeRow('deleted', 3, { tombstone: true, value: new Uint8Array(0) }),
      makeRow('expires', 4, { expiresAt: 1_700_000_000_789 }),
      makeRow('far away', 5, { expiresAt: 253_402_300_799_999, createdAt: 0, updatedAt: 1 }),
      makeRow('with id', 6, { operationId: Buffer.from('0123456789abcdef') }),
      makeRow('of a type', 12, { contentType: 'text/html; charset=utf-8' }),
      makeRow('from legacy', 7, { origin: 1 }),
      makeRow('from outside', 8, { origin: 2, version: makeVersion(8, 0) }),
      makeRow('all bytes', 9, { value: Buffer.from(Array.from({ length: 256 }, (_, i) => i)) }),
      makeRow('high', 1, { version: Number.MAX_SAFE_INTEGER }),
      makeRow(`"quoted'\\ {,} \n\t\u0001 \u{1F600} é`, 10),
      makeRow('k'.repeat(1024), 11),
    ];
    const { error, value } = await calls().commit(1, rows);
    expect(error).toBeNull();
    expect(value).toEqual(rows.map(() => COMMITTED));
    const { value: found } = await calls().read(rows.map((row) => row.record.key));
    for (const [i, row] of rows.entries()) {
      expect(found[i]).toMatchObject({ slot: row.slot, checksum: row.checksum });
      expect(sealRecord(found[i]!.record).checksum).toBe(row.checksum);
    }
  });

  test('rows come back in the order of the keys asked for, undefined where there is none', async () => {
    await calls().commit(1, [makeRow('b', 1), makeRow('a', 1)]);
    const { value } = await calls().read(['none', 'b', 'a']);
    expect(value.map((row) => row?.record.key)).toEqual([undefined, 'b', 'a']);
  });

  test('an empty batch and an empty question are answered', async () => {
    expect(await calls().commit(1, [])).toEqual({ error: null, value: [] });
    expect(await calls().read([])).toEqual({ error: null, value: [] });
  });

  test('a batch that is repeated is committed again and changes nothing', async () => {
    const rows = [makeRow('a', 1), makeRow('b', 1)];
    await calls().commit(1, rows);
    expect((await calls().commit(1, rows)).value).toEqual([COMMITTED, COMMITTED]);
    expect(await standing('a')).toMatchObject({ checksum: rows[0]!.checksum });
  });

  test('a lower version is told what stands and writes nothing; its neighbours are written', async () => {
    await calls().commit(1, [makeRow('b', 7)]);
    const { value } = await calls().commit(1, [makeRow('c', 1), makeRow('b', 6), makeRow('a', 1)]);
    expect(value).toEqual([COMMITTED, { kind: 'higher', version: makeVersion(7, 1) }, COMMITTED]);
    expect((await standing('b')).record.version).toBe(makeVersion(7, 1));
    expect((await standing('c')).record.version).toBe(makeVersion(1, 1));
  });

  test('an equal version with another content is a conflict and writes nothing', async () => {
    const first = makeRow('a', 3);
    await calls().commit(1, [first]);
    const { value } = await calls().commit(1, [
      makeRow('a', 3, { value: Buffer.from('another') }),
      makeRow('b', 1),
    ]);
    expect(value).toEqual([{ kind: 'conflict' }, COMMITTED]);
    expect((await standing('a')).checksum).toBe(first.checksum);
  });

  test('a value without a content type replaces one that has it: it is gone from the row', async () => {
    await calls().commit(1, [makeRow('a', 1, { contentType: 'text/plain' })]);
    expect((await standing('a')).record.contentType).toBe('text/plain');
    const next = makeRow('a', 2);
    await calls().commit(1, [next]);
    expect(await standing('a')).toMatchObject({ checksum: next.checksum, record: { contentType: null } });
  });

  test('a deletion replaces a value and stays as a row', async () => {
    await calls().commit(1, [makeRow('a', 1)]);
    await calls().commit(1, [makeRow('a', 2, { tombstone: true, value: new Uint8Array(0) })]);
    expect((await standing('a')).record).toMatchObject({ tombstone: true, version: makeVersion(2, 1) });
  });

  test('the same key twice in a batch is a programmer’s error', () => {
    expect(() => calls().record.commit(1, [makeRow('a', 1), makeRow('a', 2)], () => {})).toThrow(/twice/);
  });

  test('no callback comes from within the call', async () => {
    let returned = false;
    const answeredAfterReturn = calls()
      .commit(9, [makeRow('a', 1)])
      .then(() => expect(returned).toBe(true));
    returned = true;
    await answeredAfterReturn;
  });

  test('scanning from the beginning, page after page, meets every row once in the order of (slot, key)', async () => {
    const rows = Array.from({ length: 57 }, (_, i) =>
      makeRow(`key ${i % 2 === 0 ? '\u{1F600}' : '\uE000'} ${i}`, 1),
    );
    await calls().commit(1, rows);
    const met: RecordRow[] = [];
    for (let after: RecordPlace | null = null; ;) {
      const { error, value } = await calls().scan(after, 10);
      expect(error).toBeNull();
      expect(value.length).toBeLessThanOrEqual(10);
      if (value.length === 0) break;
      met.push(...value);
      after = { slot: value.at(-1)!.slot, key: value.at(-1)!.record.key };
    }
    const expected = [...rows].sort(
      (a, b) => a.slot - b.slot || Buffer.compare(Buffer.from(a.record.key), Buffer.from(b.record.key)),
    );
    expect(met.map((row) => row.record.key)).toEqual(expected.map((row) => row.record.key));
  });
}

function slotStories(calls: () => RecordCalls): void {
  const SLOT = 77;
  const inSlot = (row: RecordRow): RecordRow => ({ ...row, slot: SLOT });

  test('versions of a slot, page after page: each row of it once in the order of its key, deletions too, no other slot', async () => {
    const rows = Array.from({ length: 23 }, (_, i) =>
      inSlot(
        makeRow(
          `key ${i % 2 === 0 ? '\u{1F600}' : '\uE000'} ${i}`,
          i + 1,
          i % 5 === 0 ? { tombstone: true } : {},
        ),
      ),
    );
    const beside = [76, 78].map((slot) => ({ ...makeRow(`of slot ${slot}`, 1), slot }));
    await calls().commit(1, [...rows, ...beside]);
    const met: RowVersion[] = [];
    for (let afterKey = ''; ;) {
      const { error, value } = await calls().versionsOf(SLOT, afterKey, 7);
      expect(error).toBeNull();
      expect(value.length).toBeLessThanOrEqual(7);
      if (value.length === 0) break;
      met.push(...value);
      afterKey = value.at(-1)!.key;
    }
    const expected = rows
      .map(({ record: { key, version, tombstone }, checksum }) => ({ key, version, checksum, tombstone }))
      .sort((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)));
    expect(met).toEqual(expected);
  });

  test('versions of a slot without rows: none; of a row that was replaced: the latest', async () => {
    expect(await calls().versionsOf(SLOT, '', 10)).toEqual({ error: null, value: [] });
    await calls().commit(1, [inSlot(makeRow('a', 1))]);
    const latest = inSlot(makeRow('a', 9, { value: Buffer.alloc(100_000, 1) }));
    await calls().commit(1, [latest]);
    const { version } = latest.record;
    const expected = [{ key: 'a', version, checksum: latest.checksum, tombstone: false }];
    expect((await calls().versionsOf(SLOT, '', 10)).value).toEqual(expected);
    expect((await calls().versionsOf(SLOT, 'a', 10)).value).toEqual([]);
  });
}

/** A scrubber reads whole rows, and repairs them. */
function scrubStories(
  calls: () => RecordCalls,
  exchange: (key: string, value: string) => Promise<void>,
  standing: (key: string) => Promise<RecordRow>,
): void {
  test('rows of a slot whole, page after page: byte for byte what was written, deletions too', async () => {
    const rows = Array.from({ length: 11 }, (_, i) => ({
      ...makeRow(`key ${i}`, i + 1, {
        ...(i % 3 === 0 ? { expiresAt: 1_700_000_000_789, contentType: 'text/plain' } : {}),
        ...(i % 5 === 1 ? { tombstone: true, value: new Uint8Array(0) } : {}),
      }),
      slot: 77,
    }));
    await calls().commit(1, [...rows, { ...makeRow('of another slot', 1), slot: 78 }]);
    const met: WholeRow[] = [];
    for (let afterKey = ''; ;) {
      const { error, value } = await calls().readRows(77, afterKey, 4);
      expect(error).toBeNull();
      expect(value.length).toBeLessThanOrEqual(4);
      if (value.length === 0) break;
      met.push(...value);
      afterKey = value.at(-1)!.key;
    }
    const sorted = [...rows].sort((a, b) => (a.record.key < b.record.key ? -1 : 1));
    expect(
      met.map(({ key, version, checksum, tombstone }) => ({ key, version, checksum, tombstone })),
    ).toEqual(
      sorted.map(({ record: { key, version, tombstone }, checksum }) => ({
        key,
        version,
        checksum,
        tombstone,
      })),
    );
    for (const { record, checksum } of met) expect(sealRecord(record!).checksum).toBe(checksum);
  });

  test('a page of large values ends by its bytes: all are met, and never many of them at once', async () => {
    const size = 700_000;
    const rows = Array.from({ length: 4 }, (_, i) => ({
      ...makeRow(`large ${i}`, 1, { value: Buffer.alloc(size, i) }),
      slot: 77,
    }));
    for (const row of rows) await calls().commit(1, [row]);
    let met = 0;
    for (let afterKey = ''; ;) {
      const { value } = await calls().readRows(77, afterKey, 100);
      expect(value.reduce((sum, { record }) => sum + record!.value.length, 0)).toBeLessThanOrEqual(
        SCRUB_PAGE_BYTES_MAX + size,
      );
      if (value.length === 0) break;
      met += value.length;
      afterKey = value.at(-1)!.key;
    }
    expect(met).toBe(rows.length);
  });

  test('a value was exchanged below its version: it is seen, and put back as it was committed; again is harmless', async () => {
    const row = makeRow('a', 3, { operationId: Buffer.from('0123456789abcdef'), contentType: 'text/plain' });
    await calls().commit(1, [row]);
    await exchange('a', 'another');
    const [seen] = (await calls().readRows(row.slot, '', 10)).value;
    expect(seen).toMatchObject({ version: row.record.version, checksum: row.checksum });
    expect(sealRecord(seen!.record!).checksum).not.toBe(row.checksum);
    for (let n = 0; n < 2; n += 1)
      expect(await calls().restoreRow(1, row)).toEqual({ error: null, value: true });
    const now = await standing('a');
    expect(now.checksum).toBe(row.checksum);
    expect(sealRecord(now.record).checksum).toBe(row.checksum);
  });

  test('it has been replaced, or is gone: nothing is put in the place of either', async () => {
    const row = makeRow('a', 3);
    await calls().commit(1, [row]);
    const next = makeRow('a', 4);
    await calls().commit(1, [next]);
    expect(await calls().restoreRow(1, row)).toEqual({ error: null, value: false });
    expect((await standing('a')).checksum).toBe(next.checksum);
    expect(await calls().restoreRow(1, makeRow('never there', 3))).toEqual({ error: null, value: false });
    expect((await calls().read(['never there'])).value).toEqual([undefined]);
  });

  test('a later founding: who belongs to the one before puts nothing back', async () => {
    const row = makeRow('a', 3);
    await calls().commit(1, [row]);
    await exchange('a', 'another');
    await calls().found(1, 'later');
    expect((await calls().restoreRow(1, row)).error).toMatchObject({ kind: 'refused', fenced: true });
    expect(Buffer.from((await standing('a')).record.value).toString()).toBe('another');
  });
}

function concurrencyStories(
  calls: () => RecordCalls,
  connect: () => Promise<RecordCalls>,
  standing: (key: string) => Promise<RecordRow>,
): void {
  test('16 writers on 4 keys with overlapping batches: all are answered, the highest version stands', async () => {
    const keys = ['a', 'b', 'c', 'd'];
    const nodes = [calls(), await connect(), await connect(), await connect()];
    const highest = new Map<string, RecordRow>();
    const lied: string[] = [];
    const writer = async (id: number): Promise<void> => {
      for (let round = 0; round < 12; round += 1) {
        const order = id % 2 === 0 ? keys : [...keys].reverse();
        const rows = order
          .filter((_, i) => (id + round + i) % 4 !== 0)
          .map((key) =>
            makeRow(key, 1 + ((id * 7 + round * 13) % 97), {
              version: makeVersion(1 + ((id * 7 + round * 13) % 97), id + 1),
            }),
          );
        const { error, value } = await nodes[id % nodes.length]!.commit(1, rows);
        expect(error).toBeNull();
        for (const [i, row] of rows.entries()) {
          const result = value[i]!;
          if (result.kind === 'conflict') lied.push(row.record.key);
          if (result.kind === 'higher' && result.version <= row.record.version) lied.push(row.record.key);
          const known = highest.get(row.record.key);
          if (known === undefined || known.record.version < row.record.version)
            highest.set(row.record.key, row);
        }
      }
    };
    await Promise.all(Array.from({ length: 16 }, (_, id) => writer(id)));
    expect(lied).toEqual([]);
    for (const key of keys) expect((await standing(key)).checksum).toBe(highest.get(key)!.checksum);
  });
}
