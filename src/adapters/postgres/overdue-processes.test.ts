/** Which processes of the server count as hanging, and when a write is not tried for their sake. */
import { expect, test } from 'vitest';
import type { Connection } from './connection.ts';
import { OverdueProcesses } from './overdue-processes.ts';
import { recordSql } from './record-sql.ts';

/** Processes that the server still has, whatever it was told; null: it is away. */
let left: number[] | null = null;
let askedCount = 0;

function overdueProcesses(): OverdueProcesses {
  const connection = {
    sql: recordSql('none'),
    run: () => {
      askedCount += 1;
      return Promise.resolve((left ?? []).map((pid) => [pid]));
    },
  } as unknown as Connection;
  return new OverdueProcesses(
    (work) => (left === null ? Promise.reject(new Error('away')) : work(connection, Infinity)),
    100,
  );
}

test('processes that have gone with their server hold up no write once it is back', async () => {
  left = null;
  const overdue = overdueProcesses();
  for (const pid of [1, 2, 3, 4]) overdue.add(pid);
  await expect(overdue.makeRoom()).rejects.toMatchObject({ kind: 'refused', isStalled: true });
  left = [];
  await overdue.makeRoom();
  expect(overdue.isFull).toBe(false);
});

test('processes that do not end hold up writes until they have', async () => {
  left = [1, 2, 3];
  const overdue = overdueProcesses();
  for (const pid of left) overdue.add(pid);
  await expect(overdue.makeRoom()).rejects.toMatchObject({ kind: 'refused', isStalled: true });
  left = [3];
  await overdue.makeRoom();
  expect(overdue.isFull).toBe(false);
});

test('one that is overdue: the server is told at once, and not by every write that follows', async () => {
  left = [1];
  askedCount = 0;
  const overdue = overdueProcesses();
  overdue.add(1);
  for (let write = 0; write < 3; write += 1) await overdue.makeRoom();
  expect(askedCount).toBe(1);
});
