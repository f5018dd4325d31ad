/** `causeway cluster recover` against a real server: what it shows, and that nothing is given up by accident. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { failure } from '../core/errors.ts';
import type { ClusterAnswer, ClusterLoss, ClusterQuorum } from '../node/cluster-orders.ts';
import { keptIo } from '../../test/support/command-io.ts';
import { openDoors } from '../../test/support/grpc-call.ts';
import type { DoorFixture } from '../../test/support/grpc-call.ts';
import { runCommand } from './main.ts';

let doors: DoorFixture;
beforeEach(async () => {
  doors = await openDoors();
});
afterEach(() => doors.stop());

const NOTHING: ClusterLoss = {
  slots: [],
  holders: [],
  recordsHere: 0,
  recordsKept: 0,
  hasMoreKept: false,
  notWrittenThrough: [],
  recovering: 0,
};
const LOSS: ClusterLoss = {
  ...NOTHING,
  slots: [3, 4, 5, 9],
  holders: [
    { name: 'node-2', slots: 4, isMember: true },
    { name: 'a former member (3)', slots: 1, isMember: false },
  ],
  recordsHere: 7,
  recordsKept: 1_234,
  notWrittenThrough: ['cache:'],
};

const QUORUM: ClusterQuorum = {
  ...{ epoch: 17, life: 1, lifeKept: 1, isLost: false, ownersNeeded: 2, notWrittenThrough: [] },
  members: [
    { name: 'node-1', isUp: true, votes: true },
    { name: 'node-2', isUp: true, votes: true },
    { name: 'node-3', isUp: false, votes: true },
  ],
};
const MINORITY: ClusterQuorum = {
  ...{ ...QUORUM, isLost: true, notWrittenThrough: ['cache:'] },
  members: QUORUM.members.map((member) => ({ ...member, isUp: member.name === 'node-1' })),
};
const quorum = (told: ClusterQuorum): ClusterAnswer => ({ kind: 'quorum', quorum: told });

async function run(
  words: string[],
  typed?: string,
): Promise<{ code: number; out: string; err: string; orders: string[] }> {
  const { io, ran } = keptIo(typed, typed !== undefined);
  await runCommand(['cluster', 'recover', ...words, '--nodes', doors.address], io);
  const orders = doors.api.orders.splice(0).map(({ kind }) => kind);
  return { ...ran, orders: orders.filter((kind) => kind !== 'quorum') };
}

/** Makes the voters that are up sufficient. */
function enough(...answers: ClusterAnswer[]): void {
  doors.api.answers.push(quorum(QUORUM), ...answers);
}

const lost = (loss: ClusterLoss): ClusterAnswer => ({ kind: 'lost', loss });

describe('nothing is given up', () => {
  test('no slot is lost: told, exit 0', async () => {
    enough(lost(NOTHING));
    expect(await run([])).toEqual({ code: 0, out: 'no slot is lost\n', err: '', orders: ['loss'] });
  });

  test('without the flag: everything is shown, nothing is done, exit 1', async () => {
    enough(lost(LOSS));
    const { code, out, err, orders } = await run([]);
    expect([code, orders]).toEqual([1, ['loss']]);
    expect(out).toContain('4 slots have no living owner that is complete: 3-5, 9');
    expect(out).toMatch(/node-2 +4 +its slots are not lost if it comes back/);
    expect(out).toMatch(/a former member \(3\) +1 +its disk is gone/);
    expect(out).toMatch(/127\.0\.0\.1:\d+ +7/);
    expect(out).toContain('PostgreSQL has 1,234 rows of them.');
    expect(out).toContain('keys that begin with: cache:');
    expect(err).toContain('nothing was done');
  });

  test('something else is typed: nothing is done', async () => {
    enough(lost(LOSS));
    expect(await run([], 'yes\n')).toMatchObject({ code: 1, orders: ['loss'] });
  });

  test('PostgreSQL does not answer, or has more than is counted: said so', async () => {
    enough(lost({ ...LOSS, recordsKept: null }));
    expect((await run([])).out).toContain('PostgreSQL could not be asked');
    enough(lost({ ...LOSS, recordsKept: 20_000, hasMoreKept: true }));
    expect((await run([])).out).toContain('PostgreSQL has more than 20,000 rows');
  });

  test('--json: as data, and nobody is asked anything', async () => {
    enough(lost(LOSS));
    const { code, out } = await run(['--json'], 'lose data\n');
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ slots: [3, 4, 5, 9], givenUp: false, epoch: null });
  });
});

describe('whether something may have waited for PostgreSQL is said before anything is given up', () => {
  const outAt = async (status: DoorFixture['api']['statusChanges'], ...words: string[]): Promise<string> => {
    doors.api.statusChanges = status;
    enough(lost(LOSS));
    return (await run(words)).out;
  };
  const spool = (isOn: boolean, entries: number) => ({
    spool: { ...doors.api.status().spool, isOn, entries },
  });

  test('writes do without it: what is on the lost disks alone is lost, and what is left is counted', async () => {
    const out = await outAt(spool(true, 1_200));
    expect(out).toContain('PostgreSQL was away, and writes were acknowledged without it.');
    expect(out).toMatch(/127\.0\.0\.1:\d+: 1,200 keys wait for PostgreSQL here/);
    const said = out.slice(out.indexOf('PostgreSQL was away'));
    for (const line of said.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
    expect(await outAt(spool(true, 1))).toMatch(/: 1 key waits for PostgreSQL here/);
    expect(await outAt(spool(true, 0))).toContain('  nothing on the nodes that answer');
  });

  test('it is back, and not all is there: the same is said', async () => {
    expect(await outAt(spool(false, 3))).toMatch(
      /not all are there yet[^]*: 3 keys wait for PostgreSQL here/,
    );
  });

  test('nothing is known to wait: said as far as it is known', async () => {
    expect(await outAt({})).toContain('As far as the nodes that answer know nothing waited for PostgreSQL');
  });

  test('there is no PostgreSQL: nothing is said of it', async () => {
    const record = { ...doors.api.status().record, state: 'unused' as const };
    expect(await outAt({ record })).not.toContain('waited for PostgreSQL');
  });

  test('--json: as data', async () => {
    const { waiting } = JSON.parse(await outAt(spool(true, 3), '--json')) as { waiting: unknown };
    expect(waiting).toMatchObject([{ isOn: true, keys: 3 }]);
  });

  test('most voters are gone: the same is said', async () => {
    doors.api.statusChanges = spool(true, 3);
    doors.api.answers.push(quorum(MINORITY));
    expect((await run([])).out).toContain('writes were acknowledged without it');
  });
});

describe('given up', () => {
  test('by the flag: as many slots as were shown, then it is waited for until they are whole', async () => {
    enough(lost(LOSS), { kind: 'changed', epoch: 12 });
    doors.api.answers.push(lost({ ...NOTHING, recovering: 4 }), lost(NOTHING));
    const { code, err, orders } = await run(['--yes-lose-data']);
    expect([code, orders]).toEqual([0, ['loss', 'recover', 'loss', 'loss']]);
    expect(err).toBe('4 slots to be made whole\n0 slots to be made whole\n');
  });

  test('by hand: the same', async () => {
    enough(lost(LOSS), { kind: 'changed', epoch: 12 });
    expect(await run(['--no-wait'], 'lose data\n')).toMatchObject({ code: 0, orders: ['loss', 'recover'] });
  });

  test('it is more by then: refused, definitely', async () => {
    enough(lost(LOSS));
    doors.api.answers.push({ kind: 'failed', failure: failure('invalid_argument', '5 slots are lost') });
    expect(await run(['--yes-lose-data'])).toMatchObject({ code: 3, orders: ['loss', 'recover'] });
  });
});

describe('the majority of the voters is gone', () => {
  test('who is up is shown and what going on costs; nothing is done, exit 1', async () => {
    doors.api.answers.push(quorum(MINORITY));
    const { code, out, err, orders } = await run([]);
    expect([code, orders]).toEqual([1, []]);
    expect(out).toContain('1 of 3 voters are up, and more than half are needed');
    expect(out).toMatch(/node-2 +gone +yes/);
    expect(out).toContain('begins life 2 of the cluster, with these alone:\nnode-1.');
    expect(out).toContain('keys that begin with: cache:');
    expect(out).toContain('only reads until 1 more come');
    for (const line of out.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
    expect(err).toContain('--yes-lose-data');
  });

  test('with the flag: asked of the node that was shown, as it was shown, and waited for', async () => {
    const answers = [quorum(MINORITY), { kind: 'changed', epoch: 1_000_017 } as const];
    doors.api.answers.push(...answers, lost({ ...NOTHING, recovering: 9 }), lost(NOTHING));
    const asked = doors.api.orders;
    const { code, out, orders } = await run(['--yes-lose-data', '--json']);
    expect([code, orders, asked]).toEqual([0, ['succeed', 'loss', 'loss'], []]);
    expect(JSON.parse(out)).toMatchObject({ isLost: true, givenUp: true, epoch: 1_000_017 });
  });

  test('PostgreSQL does not say which life it has: nothing is done, whatever is typed', async () => {
    doors.api.answers.push(quorum({ ...MINORITY, lifeKept: null }));
    const { code, out, err, orders } = await run(['--yes-lose-data']);
    expect([code, orders]).toEqual([1, []]);
    expect(out).toContain('PostgreSQL must answer, and it does not');
    expect(err).toContain('PostgreSQL must answer first');
  });

  test('a life was begun and not finished: told, and the one after it is begun', async () => {
    doors.api.answers.push(quorum({ ...MINORITY, lifeKept: 4 }));
    const { out } = await run([]);
    expect(out).toContain('of life 4: it was begun and not finished');
    expect(out).toContain('begins life 5');
  });
});
