/** `causeway cluster recover` before a real door: what is shown, and that nothing is given up by accident. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { failure } from '../core/errors.ts';
import type { ClusterAnswer, ClusterLoss } from '../node/api.ts';
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

async function run(
  words: string[],
  typed?: string,
): Promise<{ code: number; out: string; err: string; orders: string[] }> {
  const ran = { code: -1, out: '', err: '' };
  const stdin = (async function* () {
    if (typed !== undefined) yield Buffer.from(typed);
  })();
  await runCommand(['cluster', 'recover', ...words, '--nodes', doors.address], {
    stdin: Object.assign(stdin, { isTTY: typed !== undefined }),
    stdout: { write: (text) => (ran.out += Buffer.from(text as Uint8Array).toString()) },
    stderr: { write: (text) => (ran.err += Buffer.from(text as Uint8Array).toString()) },
    exit: (code) => (ran.code = code),
  });
  return { ...ran, orders: doors.api.orders.splice(0).map(({ kind }) => kind) };
}

const lost = (loss: ClusterLoss): ClusterAnswer => ({ kind: 'lost', loss });

describe('nothing is given up', () => {
  test('no slot is lost: told, exit 0', async () => {
    doors.api.answers.push(lost(NOTHING));
    expect(await run([])).toEqual({ code: 0, out: 'no slot is lost\n', err: '', orders: ['loss'] });
  });

  test('without the flag: everything is shown, nothing is done, exit 1', async () => {
    doors.api.answers.push(lost(LOSS));
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
    doors.api.answers.push(lost(LOSS));
    expect(await run([], 'yes\n')).toMatchObject({ code: 1, orders: ['loss'] });
  });

  test('PostgreSQL does not answer, or has more than is counted: said so', async () => {
    doors.api.answers.push(lost({ ...LOSS, recordsKept: null }));
    expect((await run([])).out).toContain('PostgreSQL could not be asked');
    doors.api.answers.push(lost({ ...LOSS, recordsKept: 20_000, hasMoreKept: true }));
    expect((await run([])).out).toContain('PostgreSQL has more than 20,000 rows');
  });

  test('--json: as data, and nobody is asked anything', async () => {
    doors.api.answers.push(lost(LOSS));
    const { code, out } = await run(['--json'], 'lose data\n');
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ slots: [3, 4, 5, 9], givenUp: false, epoch: null });
  });
});

describe('given up', () => {
  test('by the flag: as many slots as were shown, then it is waited for until they are whole', async () => {
    doors.api.answers.push(lost(LOSS), { kind: 'changed', epoch: 12 });
    doors.api.answers.push(lost({ ...NOTHING, recovering: 4 }), lost(NOTHING));
    const { code, err, orders } = await run(['--yes-lose-data']);
    expect([code, orders]).toEqual([0, ['loss', 'recover', 'loss', 'loss']]);
    expect(err).toBe('4 slots to be made whole\n0 slots to be made whole\n');
  });

  test('by hand: the same', async () => {
    doors.api.answers.push(lost(LOSS), { kind: 'changed', epoch: 12 });
    expect(await run(['--no-wait'], 'lose data\n')).toMatchObject({ code: 0, orders: ['loss', 'recover'] });
  });

  test('it is more by then: refused, definitely', async () => {
    doors.api.answers.push(lost(LOSS));
    doors.api.answers.push({ kind: 'failed', failure: failure('invalid_argument', '5 slots are lost') });
    expect(await run(['--yes-lose-data'])).toMatchObject({ code: 3, orders: ['loss', 'recover'] });
  });
});
