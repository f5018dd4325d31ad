/**
 * What a system of record reports about a server that is not in use yet, and how the cluster claims that server.
 * (PROTOCOL R30)
 */
import { expect, test } from 'vitest';
import { partsOfSystem } from '../../src/core/system-of-record/record-standing.ts';
import { makeRow } from './record-calls.ts';
import type { RecordCalls } from './record-calls.ts';

const ANCESTORS = [
  { clusterId: 'first', life: 1 },
  { clusterId: 'second', life: 2 },
];
const OURS = { clusterId: 'ours', life: 3, ancestors: ANCESTORS, adoption: '1f2e' };
const COMMITTED = { kind: 'committed' };

export function adoptionStories(calls: () => RecordCalls, connect: () => Promise<RecordCalls>): void {
  test('an empty database: no founding, no rows; claimed, it has ours, and takes our rows', async () => {
    const { value: survey } = await calls().survey();
    expect(survey).toMatchObject({ hasRows: false, rowCount: 0, newestAt: 0 });
    expect(survey!.server).toMatchObject({ clusterId: '', life: 0 });
    const { error, value: server } = await calls().claim(survey!.server, OURS);
    expect(error).toBeNull();
    const { system } = partsOfSystem(survey!.server.system);
    expect(partsOfSystem(server!.system)).toEqual({ system, adoption: '1f2e' });
    expect(server!.timeline).toBe(survey!.server.timeline);
    expect(calls().record.seen()).toEqual({ ...server, clusterId: 'ours', life: 3 });
    expect((await calls().survey()).value!.server).toEqual({ ...server, clusterId: 'ours', life: 3 });
    const other = await connect();
    expect((await other.readLife()).value).toMatchObject({ clusterId: 'ours', life: 3 });
    expect(other.record.seen()).toMatchObject({ ...server });
    expect((await other.commit(3, [makeRow('a', 1)])).value).toEqual([COMMITTED]);
  });

  test('rows are counted with deletions, and the latest change is told', async () => {
    await calls().found(0, 'ours');
    const deletion = makeRow('b', 2, {
      tombstone: true,
      value: new Uint8Array(0),
      updatedAt: 1_800_000_000_001,
    });
    await calls().commit(1, [makeRow('a', 1), deletion]);
    expect((await calls().survey()).value).toMatchObject({
      ...{ hasRows: true, rowCount: 2, newestAt: 1_800_000_000_001 },
      server: { clusterId: 'ours', life: 1 },
    });
  });

  test('a backup keeps its rows and floors; the life of before is fenced', async () => {
    await calls().found(0, 'before');
    const below = { ...makeRow('below', 4), slot: 9 };
    await calls().commit(1, [makeRow('a', 1)]);
    await calls().raiseFloors(1, [{ slot: 9, counter: 5, turn: 0 }]);
    const { value } = await calls().survey();
    expect((await calls().claim(value!.server, OURS)).error).toBeNull();
    const other = await connect();
    expect((await other.commit(1, [makeRow('a', 9)])).error).toMatchObject({ fenced: true });
    expect((await other.read(['a'])).value[0]!.record.version).toBe(makeRow('a', 1).record.version);
    expect((await other.commit(3, [below])).value).toEqual([{ kind: 'keptOut', floor: 5 }]);
  });

  test('claimed, it tells of which lives ours came, and none of which another cluster came that it held before', async () => {
    const lineage = async (): Promise<readonly string[]> =>
      [...(await (await connect()).readLife()).value!.lineage].sort();
    await calls().found(0, 'theirs');
    await calls().found(1, 'theirs too');
    const { value } = await calls().survey();
    expect((await calls().claim(value!.server, OURS)).error).toBeNull();
    expect(await lineage()).toEqual(['first', 'second']);
    const again = await (await connect()).survey();
    const few = { ...OURS, ancestors: [], adoption: 'another' };
    expect((await (await connect()).claim(again.value!.server, few)).error).toBeNull();
    expect(await lineage()).toEqual(['first', 'second']);
    await (await connect()).found(3, 'next');
    expect(await lineage()).toEqual(['first', 'ours', 'second']);
  });

  test('a backup of an earlier life of ours keeps what it has noted: who claims it may know less', async () => {
    await calls().found(0, 'first');
    await calls().found(1, 'second');
    const { value } = await calls().survey();
    const some = { ...OURS, ancestors: ANCESTORS.slice(1) };
    expect((await calls().claim(value!.server, some)).error).toBeNull();
    const { lineage } = (await (await connect()).readLife()).value!;
    expect([...lineage].sort()).toEqual(['first', 'second']);
  });

  test('it is another than was expected, or was claimed meanwhile: refused, and left as it is', async () => {
    const { value } = await calls().survey();
    const { server } = value!;
    for (const other of [
      { ...server, system: 'another' },
      { ...server, timeline: server.timeline + 1 },
      { ...server, clusterId: 'theirs', life: 1 },
    ])
      expect((await calls().claim(other, OURS)).error).toMatchObject({ kind: 'refused' });
    expect((await calls().survey()).value!.server).toEqual(server);
    const second = await connect();
    const [one, two] = await Promise.all([
      calls().claim(server, OURS),
      second.claim(server, { ...OURS, adoption: 'another' }),
    ]);
    expect([one, two].filter(({ error }) => error === null)).toHaveLength(1);
  });

  test('the next founding is of the same adopted database', async () => {
    const { value } = await calls().survey();
    const { value: server } = await calls().claim(value!.server, OURS);
    const { value: founding } = await (await connect()).found(3, 'next');
    expect(founding).toMatchObject({ clusterId: 'next', life: 4, identity: server });
    const other = await connect();
    expect((await other.readLife()).value).toMatchObject({ clusterId: 'next', life: 4 });
    expect(other.record.seen()).toMatchObject({ ...server });
  });

  test('what is chosen is used with its founding only: emptied, or of another cluster, it is as good as down', async () => {
    await calls().found(0, 'ours');
    const { value } = await calls().survey();
    const { record } = calls();
    record.choose({ ...value!.server, clusterId: 'theirs' });
    expect((await calls().commit(1, [makeRow('a', 1)])).error).toMatchObject({
      kind: 'refused',
      fenced: false,
    });
    record.choose({ ...value!.server, clusterId: 'later', life: 2 });
    expect((await calls().commit(2, [makeRow('a', 1)])).error).toMatchObject({
      kind: 'refused',
      fenced: false,
    });
    expect(record.health().state).toBe('down');
    record.choose(value!.server);
    expect((await (await connect()).commit(1, [makeRow('a', 1)])).value).toEqual([COMMITTED]);
  });
}
