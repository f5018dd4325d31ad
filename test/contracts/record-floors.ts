/** What a system of record rejects below the floors of slots, and which rows it removes under them. (PROTOCOL R24) */
import { beforeEach, expect, test } from 'vitest';
import type { KeyRecord } from '../../src/core/record.ts';
import { counterOf, makeVersion } from '../../src/core/version.ts';
import type { DoomedRow, RecordRow } from '../../src/ports/system-of-record.ts';
import { makeRow } from './record-calls.ts';
import type { Answer, RecordCalls } from './record-calls.ts';

const COMMITTED = { kind: 'committed' };
const SLOT = 4_711;

export function floorStories(calls: () => RecordCalls): void {
  beforeEach(async () => void (await calls().found(0, 'cluster')));
  const row = (key: string, counter: number, changes: Partial<KeyRecord> = {}): RecordRow => {
    return { ...makeRow(key, counter, changes), slot: SLOT };
  };
  const deletion = (key: string, counter: number): RecordRow =>
    row(key, counter, { tombstone: true, value: new Uint8Array(0) });
  const doomed = ({ record: { key, version, tombstone } }: RecordRow): DoomedRow => {
    return { key, version, tombstone };
  };
  const turnOf = async (slot: number): Promise<number> => (await calls().readFloors([slot])).value[0]!.turn;
  const floorAt = async (counter: number, life = 1): Promise<Answer<null>> =>
    calls().raiseFloors(life, [{ slot: SLOT, counter, turn: await turnOf(SLOT) }]);
  const floorsOf = async (...slots: number[]): Promise<number[]> =>
    (await calls().readFloors(slots)).value.map(({ counter }) => counter);
  const stands = async (...keys: string[]): Promise<(number | undefined)[]> =>
    (await calls().read(keys)).value.map((each) => each && counterOf(each.record.version));

  test('floors are 0 until they are raised, and only rise', async () => {
    expect(await floorsOf(SLOT, 3)).toEqual([0, 0]);
    await calls().raiseFloors(1, [
      { slot: 3, counter: 9, turn: 0 },
      { slot: SLOT, counter: 5, turn: 0 },
    ]);
    await floorAt(4);
    expect(await floorsOf(SLOT, 3, 16_383)).toEqual([5, 9, 0]);
    expect(await floorsOf()).toEqual([]);
  });

  test('two raise a floor on what they have read of it: the second comes to nothing, also where the first left it as it was', async () => {
    const turn = await turnOf(SLOT);
    await calls().raiseFloors(1, [{ slot: SLOT, counter: 0, turn }]);
    await calls().raiseFloors(1, [
      { slot: SLOT, counter: 9, turn },
      { slot: 3, counter: 9, turn: 0 },
    ]);
    expect(await floorsOf(SLOT, 3)).toEqual([0, 9]);
    await floorAt(9);
    expect(await floorsOf(SLOT)).toEqual([9]);
  });

  test('somebody has a turn at a floor and leaves it as it is: it is no younger than before', async () => {
    await calls().commit(1, [deletion('old', 3)]);
    await floorAt(5);
    await floorAt(5);
    expect((await calls().removeRows(1, [doomed(deletion('old', 3))], 0)).value).toEqual(['removed']);
  });

  test('what comes from at or below a floor is kept out, and the floor is told; what is above it, or in another slot, is written', async () => {
    await floorAt(5);
    const other = makeRow('other', 1);
    const { error, value } = await calls().commit(1, [row('above', 6), row('at', 5), other, row('below', 2)]);
    expect(error).toBeNull();
    const keptOut = { kind: 'keptOut', floor: 5 };
    expect(value).toEqual([COMMITTED, keptOut, COMMITTED, keptOut]);
    expect(await stands('above', 'at', 'other', 'below')).toEqual([6, undefined, 1, undefined]);
  });

  test('a writer that knows the floor is let in; one that knows an earlier one is not', async () => {
    await floorAt(5);
    const { value } = await calls().commit(1, [
      { ...row('knowing', 4), pastFloor: 5 },
      { ...row('late', 4), pastFloor: 4 },
      row('above', 9),
    ]);
    expect(value).toEqual([COMMITTED, { kind: 'keptOut', floor: 5 }, COMMITTED]);
    expect(await stands('knowing', 'late', 'above')).toEqual([4, undefined, 9]);
  });

  test('below a floor, of a key that has a row: told what stands where that is as high, kept out where it is lower', async () => {
    await calls().commit(1, [row('a', 3), row('b', 3), deletion('c', 3)]);
    await floorAt(5);
    const { value } = await calls().commit(1, [row('a', 3), row('b', 2), row('c', 4)]);
    expect(value).toEqual([
      COMMITTED,
      { kind: 'higher', version: makeVersion(3, 1) },
      { kind: 'keptOut', floor: 5 },
    ]);
    expect((await calls().commit(1, [{ ...row('c', 4), pastFloor: 5 }])).value).toEqual([COMMITTED]);
    expect(await stands('a', 'b', 'c')).toEqual([3, 3, 4]);
  });

  test('a deletion below a floor where nothing stands: as good as committed, and not written; above a lower row it is to be', async () => {
    await calls().commit(1, [row('value', 2)]);
    await floorAt(5);
    const { value } = await calls().commit(1, [deletion('none', 4), deletion('value', 4)]);
    expect(value).toEqual([COMMITTED, { kind: 'keptOut', floor: 5 }]);
    expect(await stands('none', 'value')).toEqual([undefined, 2]);
  });

  test('a row goes where exactly it stands under its floor; what is gone, or replaced, is told; everything else stays', async () => {
    const rows = [deletion('old', 3), deletion('rewritten', 3), row('value', 3), deletion('lower', 2)];
    await calls().commit(1, [...rows, deletion('above', 6)]);
    await calls().commit(1, [row('rewritten', 8)]);
    await floorAt(5);
    const doomedRows = [
      ...[rows[0]!, rows[1]!, deletion('value', 3), deletion('lower', 3), deletion('above', 6)],
      deletion('never', 1),
    ].map(doomed);
    const { error, value } = await calls().removeRows(1, doomedRows, 0);
    expect(error).toBeNull();
    expect(value).toEqual(['removed', 'gone', 'stays', 'stays', 'stays', 'gone']);
    expect((await calls().removeRows(1, doomedRows.slice(0, 1), 0)).value).toEqual(['gone']);
    expect(await stands('old', 'rewritten', 'value', 'lower', 'above')).toEqual([undefined, 8, 3, 2, 6]);
    expect((await calls().removeRows(1, [doomed(rows[2]!)], 0)).value).toEqual(['removed']);
    expect((await calls().commit(1, [rows[0]!, row('old', 1)].slice(1))).value).toEqual([
      { kind: 'keptOut', floor: 5 },
    ]);
  });

  test('a floor that was raised a moment ago: the row stays until it is old enough', async () => {
    await calls().commit(1, [deletion('old', 3)]);
    await floorAt(5);
    expect((await calls().removeRows(1, [doomed(deletion('old', 3))], 60_000)).value).toEqual(['stays']);
    expect(await stands('old')).toEqual([3]);
    expect((await calls().removeRows(1, [doomed(deletion('old', 3))], 0)).value).toEqual(['removed']);
  });

  test('another life raises and removes nothing; a founding begins above every floor', async () => {
    await calls().commit(1, [deletion('old', 3)]);
    await floorAt(7);
    const { value } = await calls().found(1, 'second');
    expect(value).toMatchObject({ hasRows: true, highestVersion: makeVersion(7, 4_095) });
    const fenced = { kind: 'refused', fenced: true };
    expect((await floorAt(9)).error).toMatchObject(fenced);
    expect((await calls().removeRows(1, [doomed(deletion('old', 3))], 0)).error).toMatchObject(fenced);
    expect(await floorsOf(SLOT)).toEqual([7]);
    expect((await calls().removeRows(2, [doomed(deletion('old', 3))], 0)).value).toEqual(['removed']);
    // A founding that comes too late returns what is in force.
    expect((await calls().found(1, 'third')).value).toMatchObject({
      clusterId: 'second',
      hasRows: false,
      highestVersion: makeVersion(7, 4_095),
    });
  });
}
