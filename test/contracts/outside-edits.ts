/**
 * Changes of rows by hand, as PostgreSQL notes and reports them: the contract for every system of record that supports
 * them.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { operationOf } from '../../src/core/system-of-record/outside-edits.ts';
import type { OutsideEdit } from '../../src/core/system-of-record/outside-edits.ts';
import { ORIGIN_OUTSIDE } from '../../src/core/record.ts';
import type { WrittenEdit } from '../../src/ports/outside-edits.ts';
import type { RecordRow } from '../../src/ports/system-of-record.ts';
import { RecordCalls, makeRow } from './record-calls.ts';
import type { Answer, RecordWorld } from './record-calls.ts';

/** Somebody with a connection of their own. */
export interface Hand {
  put(key: string, value: string): Promise<void>;
  remove(key: string): Promise<void>;
}

export interface EditedWorld extends RecordWorld {
  readonly hand: Hand;
}

const COMMITTED = { kind: 'committed' };
const DAY_MS = 86_400_000;

export function outsideEditContract(name: string, makeWorld: () => Promise<EditedWorld>): void {
  describe(`${name}: rows are changed by hand`, () => {
    let world: EditedWorld;
    let calls: RecordCalls;

    beforeEach(async () => {
      world = await makeWorld();
      calls = new RecordCalls(world, await world.connect());
      await calls.found(0, 'cluster');
    });
    afterEach(() => world.close());

    const read = async (afterId = 0, ageMs = 0): Promise<readonly OutsideEdit[]> => {
      const { error, value } = await world.run<Answer<readonly OutsideEdit[]>>((answer) =>
        calls.record.edits!.readEdits(afterId, 100, ageMs, (told, edits) =>
          answer({ error: told, value: edits }),
        ),
      );
      expect(error).toBeNull();
      return value;
    };
    const settle = async (
      written: readonly WrittenEdit[],
      others: readonly OutsideEdit[] = [],
      life = 1,
    ): Promise<unknown> =>
      world.run((answer) => calls.record.edits!.settleEdits(life, written, others, answer));
    const standing = async (key: string): Promise<RecordRow> => (await calls.read([key])).value[0]!;
    const text = ({ value }: { readonly value: Uint8Array }): string => Buffer.from(value).toString();

    test('a value is changed: the row shows it under the version and the checksum that it had, and it is told', async () => {
      const row = makeRow('a', 7);
      await calls.commit(1, [row]);
      await world.hand.put('a', 'by hand');
      const now = await standing('a');
      expect(text(now.record)).toBe('by hand');
      expect(now).toMatchObject({
        edited: true,
        checksum: row.checksum,
        record: { version: row.record.version },
      });
      const [edit, ...more] = await read();
      expect(more).toEqual([]);
      expect(text(edit!)).toBe('by hand');
      expect(edit).toMatchObject({
        ...{ key: 'a', base: row.record.version, onValue: true, stands: true, deleted: false, expiresAt: 0 },
      });
      expect(await read(edit!.id)).toEqual([]);
      expect(await read(0, DAY_MS)).toEqual([]);
    });

    test('a scrubber is told of no damage, and puts nothing in its place', async () => {
      const row = makeRow('a', 7);
      await calls.commit(1, [row]);
      await world.hand.put('a', 'by hand');
      const { slot } = await standing('a');
      const [seen] = (await calls.readRows(slot, '', 10)).value;
      expect(seen).toMatchObject({ key: 'a', checksum: row.checksum, tombstone: false, record: null });
      expect(await calls.restoreRow(1, row)).toEqual({ error: null, value: false });
      expect(text((await standing('a')).record)).toBe('by hand');
    });

    test('what it was made on is still found to be committed, and anything higher takes its place', async () => {
      const row = makeRow('a', 7);
      await calls.commit(1, [row]);
      await world.hand.put('a', 'by hand');
      expect((await calls.commit(1, [row])).value).toEqual([COMMITTED]);
      expect((await calls.commit(1, [makeRow('a', 6)])).value).toMatchObject([{ kind: 'higher' }]);
      expect((await read()).map(({ stands }) => stands)).toEqual([true]);
      const next = makeRow('a', 8);
      expect((await calls.commit(1, [next])).value).toEqual([COMMITTED]);
      expect(await standing('a')).toEqual(next);
      expect((await read()).map(({ stands }) => stands)).toEqual([false]);
    });

    test('a row is deleted: it stands on as that of a deletion, until the cluster has made it one', async () => {
      const row = makeRow('a', 7);
      await calls.commit(1, [row]);
      await world.hand.remove('a');
      expect(await standing('a')).toMatchObject({
        ...{ edited: true, checksum: row.checksum },
        record: { tombstone: true, version: row.record.version },
      });
      expect(await read()).toMatchObject([
        { key: 'a', base: row.record.version, onValue: true, deleted: true },
      ]);
      expect((await calls.commit(1, [row])).value).toEqual([COMMITTED]);
    });

    test('a key is put there that was never seen, or was deleted: told with what it was made on', async () => {
      const deletion = makeRow('gone', 3, { tombstone: true, value: new Uint8Array(0) });
      await calls.commit(1, [deletion]);
      await world.hand.put('new', 'one');
      await world.hand.put('gone', 'back');
      expect(await read()).toMatchObject([
        { key: 'new', base: 0, onValue: false, stands: true },
        { key: 'gone', base: deletion.record.version, onValue: false, stands: true },
      ]);
      expect((await calls.versionsOf((await standing('new')).slot, '', 10)).value).toEqual([]);
      expect((await calls.commit(1, [makeRow('gone', 4)])).value).toEqual([COMMITTED]);
    });

    test('a key is changed several times: told one after another; what was written is what the next one is made on', async () => {
      const row = makeRow('a', 7);
      await calls.commit(1, [row]);
      await world.hand.put('a', 'first');
      await world.hand.put('a', 'second');
      const [first] = await read();
      expect(text(first!)).toBe('first');
      const written = makeRow('a', 8, { value: Buffer.from('first') });
      await calls.commit(1, [written]);
      await settle([{ edit: first!, version: written.record.version }]);
      const [second, ...more] = await read();
      expect(more).toEqual([]);
      expect(text(second!)).toBe('second');
      expect(second).toMatchObject({ base: written.record.version, onValue: true, stands: true });
      await settle([], [second!]);
      expect(await read()).toEqual([]);
    });

    test('it was deleted, and is put there again before the cluster has heard of either', async () => {
      await calls.commit(1, [makeRow('a', 7)]);
      await world.hand.remove('a');
      await world.hand.put('a', 'again');
      const [deletion] = await read();
      expect(deletion).toMatchObject({ deleted: true });
      const written = makeRow('a', 8, { tombstone: true, value: new Uint8Array(0) });
      await calls.commit(1, [written]);
      await settle([{ edit: deletion!, version: written.record.version }]);
      expect(await read()).toMatchObject([
        { deleted: false, base: written.record.version, onValue: false, stands: true },
      ]);
    });

    /** Settles the first change as one that came to nothing; returns the versions under which it is found. */
    const settleAsNothing = async (edit: OutsideEdit): Promise<number[]> =>
      world.run((answer) =>
        calls.record.edits!.settleEdits(1, [], [edit], (error, found) => {
          expect(error).toBeNull();
          answer(found.map(({ version }) => version));
        }),
      );

    test('what the row showed was written before it was told: it is found, and the next one is made on that', async () => {
      for (const key of ['a', 'b']) await calls.commit(1, [makeRow(key, 7)]);
      await world.hand.put('a', 'shown');
      await world.hand.remove('b');
      const [put, removal] = (await read()) as [OutsideEdit, OutsideEdit];
      await world.hand.put('a', 'next');
      const { record } = await standing('b');
      const written = makeRow('a', 8, {
        origin: ORIGIN_OUTSIDE,
        value: Buffer.from('shown'),
        operationId: null,
      });
      const removed = makeRow('b', 8, { ...record, version: written.record.version });
      await calls.commit(1, [written, removed]);
      expect(await settleAsNothing(put)).toEqual([written.record.version]);
      expect(await settleAsNothing(removal)).toEqual([written.record.version]);
      const [next, ...more] = await read();
      expect(more).toEqual([]);
      expect(text(next!)).toBe('next');
      expect(next).toMatchObject({ base: written.record.version, stands: true });
    });

    test('it was written, which nobody remembers: it is found by its operation id, and a write of somebody else is not', async () => {
      for (const key of ['a', 'b']) await calls.commit(1, [makeRow(key, 7)]);
      await world.hand.put('a', 'by hand');
      await world.hand.put('b', 'by hand');
      const [a, b] = (await read()) as [OutsideEdit, OutsideEdit];
      const { operationId } = operationOf(a, 0, a.stampMs, {});
      const written = makeRow('a', 8, { value: Buffer.from('by hand'), operationId });
      await calls.commit(1, [written, makeRow('b', 8, { value: Buffer.from('by hand') })]);
      expect(await settleAsNothing(a)).toEqual([written.record.version]);
      expect(await settleAsNothing(b)).toEqual([]);
      expect(await read()).toEqual([]);
    });

    test('another stamp is given to what still stands, and once', async () => {
      await calls.commit(1, [makeRow('a', 7), makeRow('b', 7)]);
      await world.hand.put('a', 'one');
      await world.hand.put('b', 'two');
      await calls.commit(1, [makeRow('b', 8)]);
      const before = await read();
      const stamp = (stampMs: number): Promise<unknown> =>
        world.run((answer) => calls.record.edits!.stampEdits(1, before, stampMs, answer));
      await stamp(1_800_000_000_000);
      await stamp(1_900_000_000_000);
      expect((await read()).map(({ stampMs }) => stampMs)).toEqual([1_800_000_000_000, before[1]!.stampMs]);
    });

    test('a later life is in force: who belongs to the one before settles nothing', async () => {
      await world.hand.put('a', 'one');
      const edits = await read();
      await calls.found(1, 'later');
      expect(await settle([], edits)).toMatchObject({ fenced: true });
      expect(await read()).toEqual(edits);
    });
  });
}
