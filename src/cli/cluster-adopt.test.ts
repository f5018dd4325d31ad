/**
 * `causeway cluster adopt-record` against a real server: what it shows, and that no PostgreSQL is adopted by accident.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ClusterAnswer, RecordServerFacts } from '../node/cluster-orders.ts';
import { keptIo } from '../../test/support/command-io.ts';
import { openDoors } from '../../test/support/grpc-call.ts';
import type { DoorFixture } from '../../test/support/grpc-call.ts';
import { runCommand } from './main.ts';

let doors: DoorFixture;
beforeEach(async () => {
  doors = await openDoors();
});
afterEach(() => doors.stop());

const SEEN = { system: '222', timeline: 1, clusterId: 'f0f1f2f3f4', life: 2 };
const FACTS: RecordServerFacts = {
  known: { system: '111', timeline: 4 },
  ...{ drive: 0, isDriven: true, clusterId: 'f0f1f2f3f4', life: 2 },
  ...{ seen: SEEN, hasRows: true, rowCount: 1_234, newestAt: Date.UTC(2026, 0, 2, 3, 4, 5) },
  ...{ verdict: 'ready', why: '', loses: '' },
};

async function run(
  words: string[],
  facts: Partial<RecordServerFacts> = {},
  typed?: string,
): Promise<{ code: number; out: string; err: string; order: unknown }> {
  const { io, ran } = keptIo(typed, typed !== undefined);
  const answers: ClusterAnswer[] = [
    { kind: 'recordServer', facts: { ...FACTS, ...facts } },
    { kind: 'changed', epoch: 7 },
  ];
  doors.api.answers.splice(0, Infinity, ...answers);
  doors.api.orders.length = 0;
  await runCommand(['cluster', 'adopt-record', ...words, '--nodes', doors.address], io);
  const order = doors.api.orders.find(({ kind }) => kind === 'adoptRecord') ?? null;
  return { ...ran, order };
}

const asShown = (changes: object = {}): object => {
  return { kind: 'adoptRecord', seen: SEEN, isBackup: false, mayLose: false, ...changes };
};

test('what is in use and what is seen; without a word nothing is done', async () => {
  const { code, out, err, order } = await run([]);
  expect([code, order]).toEqual([1, null]);
  expect(out).toContain('In use: system 111, timeline 4, founding f0f1f2f3 life 2');
  expect(out).toContain(`${doors.address} sees system 222, timeline 1: may be taken into use`);
  expect(out).toContain('founding f0f1f2f3 life 2, 1,234 rows, the latest change at 2026-01-02T03:04:05Z');
  expect(err).toContain('it takes --yes\n');
});

test('the one in use: there is nothing to do', async () => {
  const { code, out, order } = await run(['--yes'], { verdict: 'inUse' });
  expect([code, order]).toEqual([0, null]);
  expect(out).toContain('Every node sees the one in use');
});

test('refused: whatever is said', async () => {
  const words = ['--yes', '--backup', '--yes-lose-data'];
  const { code, err, order } = await run(words, { verdict: 'refused', why: 'it belongs to another cluster' });
  expect([code, order]).toEqual([1, null]);
  expect(err).toContain('another cluster');
});

describe('it is ordered', () => {
  test('by a flag: the server that was shown, and what to do next', async () => {
    const { code, err, order } = await run(['--yes']);
    expect([code, order]).toEqual([0, asShown()]);
    expect(err).toMatch(/start them again\sone by one/);
  });

  test('typed by hand, word for word', async () => {
    expect(await run([], {}, 'yes\n')).toMatchObject({ code: 1, order: null });
    expect(await run([], {}, 'adopt\n')).toMatchObject({ code: 0, order: asShown() });
  });

  test('from before the founding: only with the word that it is a backup of this cluster', async () => {
    const early = { verdict: 'earlier', seen: { ...SEEN, clusterId: '', life: 0 } } as const;
    const refused = await run(['--yes'], early);
    expect(refused).toMatchObject({ code: 1, order: null });
    expect(refused.err).toContain('--yes --backup');
    expect(refused.out).toContain('rows of another one would become part of this');
    expect((await run(['--yes', '--backup'], early)).order).toEqual(
      asShown({ isBackup: true, seen: early.seen }),
    );
  });

  test('where rows are lost by it: only with that word', async () => {
    const losing = { loses: 'rows of 9 slots that were given up and are not whole yet' };
    const refused = await run(['--yes'], losing);
    expect(refused).toMatchObject({ code: 1, order: null });
    expect(refused.out).toContain('Lost is what only the one in use has: rows of 9 slots');
    expect((await run([], losing, 'adopt\n')).order).toBeNull();
    expect((await run([], losing, 'lose data\n')).order).toEqual(asShown({ mayLose: true }));
  });

  test('as JSON: what was seen and done', async () => {
    const { code, out } = await run(['--yes', '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      ...{ adopted: true, epoch: 7 },
      nodes: [{ address: doors.address, facts: { seen: SEEN, verdict: 'ready', rowCount: 1_234 } }],
    });
  });
});
