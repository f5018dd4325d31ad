/** Which life of the cluster is in force, and the note of who is up in it: the contract for every system of record. */
import { expect, test } from 'vitest';
import type { RecordCalls } from './record-calls.ts';

const UP = [
  { name: 'node-4', address: '10.0.0.4:50051' },
  { name: 'with "quotes", \\ and é', address: '[::1]:1' },
];
/** Milliseconds within which a test has asked again, however busy the machine. */
const SOON_MS = 60_000;

export function lifeStories(calls: () => RecordCalls, connect: () => Promise<RecordCalls>): void {
  test('no founding: no life, and nobody can note anything', async () => {
    expect((await calls().signLife({ clusterId: 'ours', life: 1 }, UP)).error).toBeNull();
    expect(await calls().readLife()).toEqual({ error: null, value: null });
  });

  test('a life has just begun, and nobody has noted anything yet: its beginning is told', async () => {
    await calls().found(0, 'ours');
    const { value } = await (await connect()).readLife();
    expect(value).toMatchObject({ clusterId: 'ours', life: 1, sign: { members: [] } });
    expect(value!.sign!.ageMs).toBeGreaterThanOrEqual(0);
    expect(value!.sign!.ageMs).toBeLessThan(SOON_MS);
  });

  test('what was noted last is told to everyone, with its age', async () => {
    await calls().found(0, 'ours');
    await calls().signLife({ clusterId: 'ours', life: 1 }, [{ name: 'node-1', address: 'before' }]);
    await calls().signLife({ clusterId: 'ours', life: 1 }, UP);
    const { value } = await (await connect()).readLife();
    expect(value).toMatchObject({ clusterId: 'ours', life: 1, sign: { members: UP } });
    expect(value!.sign!.ageMs).toBeGreaterThanOrEqual(0);
    expect(value!.sign!.ageMs).toBeLessThan(SOON_MS);
  });

  test('a later life begins: what was noted in the one before counts no more, and nothing is noted in it', async () => {
    const before = { clusterId: 'first', life: 1 };
    await calls().found(0, 'first');
    await calls().signLife(before, UP);
    await calls().found(1, 'second');
    const { value } = await calls().readLife();
    expect(value).toMatchObject({ clusterId: 'second', life: 2, sign: { members: [] } });
    await calls().signLife({ clusterId: 'second', life: 2 }, UP);
    expect((await calls().signLife(before, [])).error).toBeNull();
    expect((await calls().signLife({ clusterId: 'another', life: 2 }, [])).error).toBeNull();
    expect((await calls().readLife()).value!.sign).toMatchObject({ members: UP });
  });

  test('each founding notes which life it replaced, and one that came too late notes nothing', async () => {
    const lineage = async (): Promise<readonly string[]> => (await calls().readLife()).value!.lineage;
    await calls().found(0, 'first');
    await calls().found(0, 'late');
    expect(await lineage()).toEqual([]);
    await calls().found(1, 'second');
    await calls().found(1, 'late');
    expect(await lineage()).toEqual(['first']);
    await calls().found(2, 'third');
    expect([...(await lineage())].sort()).toEqual(['first', 'second']);
  });
}
