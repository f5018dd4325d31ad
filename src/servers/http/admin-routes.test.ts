/**
 * `/v1/admin` without sockets: each request becomes the order that it states, and each answer is what the node says.
 */
import { beforeEach, describe, expect, test } from 'vitest';
import { HttpDoor } from '../../../test/support/http-door.ts';
import { VERSION_ONE, clusterAnswers } from '../../../test/support/cluster-answers.ts';
import type { ClusterAnswer, ClusterOrder } from '../../node/cluster-orders.ts';

let door: HttpDoor;
beforeEach(() => {
  door = new HttpDoor();
});

describe('looks', () => {
  const looks: [string, ClusterOrder['kind'], ClusterAnswer['kind'], unknown][] = [
    ['cluster', 'describe', 'described', clusterAnswers.described.description],
    ['slots', 'slots', 'slots', clusterAnswers.slots.map],
    ['loss', 'loss', 'lost', { ...clusterAnswers.lost.loss, slotCount: 2 }],
    ['quorum', 'quorum', 'quorum', clusterAnswers.quorum.quorum],
    ['record-server', 'recordServer', 'recordServer', clusterAnswers.recordServer.facts],
  ];
  test.each(looks)('%s: asks for %s, and tells all of it', async (path, order, kind, told) => {
    door.api.answers.push(clusterAnswers[kind as keyof typeof clusterAnswers]);
    const { status, json } = await door.ask('GET', `/v1/admin/${path}`);
    expect(status).toBe(200);
    expect(json).toEqual(told);
    expect(door.api.orders).toEqual([{ kind: order }]);
  });

  test('count: keys, and whether rows are missing', async () => {
    await door.ask('PUT', '/v1/kv/a', { body: '1' });
    expect((await door.ask('GET', '/v1/admin/count')).json).toEqual({ count: 1, incomplete: false });
  });

  test('status: as the node has it', async () => {
    expect((await door.ask('GET', '/v1/admin/status')).json).toEqual(door.api.status());
  });

  test('inspect: what this store holds, a deletion too', async () => {
    const none = await door.ask('GET', '/v1/admin/inspect?key=a');
    expect(none.json).toEqual({ owner: true, slot: 42, valid: true, record: null });
    await door.ask('PUT', '/v1/kv/a', { body: '1' });
    door.api.waiting.add('a');
    expect((await door.ask('GET', '/v1/admin/inspect?key=a')).json).toMatchObject({
      valid: false,
      record: { value: '1', tombstone: false, version: VERSION_ONE },
    });
    await door.ask('DELETE', '/v1/kv/a');
    expect((await door.ask('GET', '/v1/admin/inspect?key=a')).json).toMatchObject({
      record: { tombstone: true },
    });
    expect((await door.ask('GET', '/v1/admin/inspect?key=')).status).toBe(400);
    expect((await door.ask('GET', '/v1/admin/inspect?key=%00')).status).toBe(400);
  });

  test('change nothing: no GET gives an order that does', async () => {
    const { paths } = await door.document();
    const gets = Object.keys(paths).filter((path) => path.startsWith('/v1/admin/') && 'get' in paths[path]!);
    expect(gets.length).toBeGreaterThan(7);
    for (const path of gets) await door.ask('GET', path);
    const asked = door.api.orders.map(({ kind }) => kind);
    const harmless = ['describe', 'slots', 'count', 'loss', 'quorum', 'recordServer'];
    expect(asked.filter((kind) => !harmless.includes(kind))).toEqual([]);
    expect(door.log.level()).toBe('info');
  });
});

describe('orders', () => {
  const { seen } = clusterAnswers.recordServer.facts;
  const orders: [string, object, ClusterOrder][] = [
    ['leave', { name: 'node-2' }, { kind: 'leave', name: 'node-2' }],
    ['rebalance', {}, { kind: 'rebalance' }],
    ['recover', { slotCount: 7 }, { kind: 'recover', slotCount: 7 }],
    ['succeed', { lost: ['node-2'], lifeKept: 1 }, { kind: 'succeed', lost: ['node-2'], lifeKept: 1 }],
    ['adopt-record', { seen }, { kind: 'adoptRecord', seen, isBackup: false, mayLose: false }],
    [
      'adopt-record',
      { seen, isBackup: true, mayLose: true },
      { kind: 'adoptRecord', seen, isBackup: true, mayLose: true },
    ],
    ['finish-upgrade', {}, { kind: 'finishUpgrade' }],
  ];
  test.each(orders)('%s %j: ordered as it was said, and the epoch told', async (path, body, order) => {
    door.api.answers.push({ kind: 'changed', epoch: 9 });
    const { status, json } = await door.post(`/v1/admin/${path}`, body);
    expect([status, json]).toEqual([200, { epoch: 9 }]);
    expect(door.api.orders).toEqual([order]);
  });

  test('plan and scrub: the moves, and the number of the round', async () => {
    door.api.answers.push(clusterAnswers.planned, { kind: 'scrubbing', number: 4 });
    const planned = await door.post('/v1/admin/plan', { joins: [{ name: 'node-4' }] });
    expect(planned.json).toEqual(clusterAnswers.planned.plan);
    expect((await door.post('/v1/admin/scrub', {})).json).toEqual({ number: 4 });
    expect(door.api.orders).toEqual([
      { kind: 'plan', joins: [{ name: 'node-4', zone: '', host: '', weight: 1 }], leaves: [] },
      { kind: 'scrub', recordsPerSecondMax: 0, bytesPerSecondMax: 0 },
    ]);
  });

  test.each([
    ['leave', {}],
    ['leave', { name: '' }],
    ['recover', {}],
    ['recover', { slotCount: 0 }],
    ['succeed', { lost: ['node-2'] }],
    ['adopt-record', { isBackup: true, mayLose: true }],
    ['adopt-record', { seen: { ...seen, more: 1 } }],
    ['rebalance', { force: true }],
    ['plan', { joins: [{ zone: 'a' }] }],
    ['scrub', { recordsPerSecondMax: -1 }],
  ])(
    '%s %j: what was shown, or who is meant, is not said: refused, and nothing is ordered',
    async (path, body) => {
      const { status, json } = await door.post(`/v1/admin/${path}`, body);
      expect([status, json['code']]).toEqual([400, 'invalid_argument']);
      expect(door.api.orders).toEqual([]);
    },
  );

  test('a form, a page of another origin, a name that is not this machine’s: nothing is ordered', async () => {
    const body = JSON.stringify({ name: 'node-2' });
    const json = { 'Content-Type': 'application/json' };
    const asked = [
      await door.ask('POST', '/v1/admin/leave', { body, headers: { 'Content-Type': 'text/plain' } }),
      await door.ask('POST', '/v1/admin/leave', {
        body,
        headers: { ...json, Origin: 'http://evil.example' },
      }),
      await door.ask('POST', '/v1/admin/leave', { body, headers: { ...json, Host: 'evil.example' } }),
      await door.ask('GET', '/v1/admin/leave', {}),
    ];
    expect(asked.map(({ status }) => status)).toEqual([415, 403, 403, 405]);
    expect(door.api.orders).toEqual([]);
  });

  test('what the node refuses is told with its code', async () => {
    const failure = { code: 'upgrade_unfinished', message: 'node-2 is away' } as const;
    door.api.answers.push({ kind: 'failed', failure });
    const { status, json } = await door.post('/v1/admin/finish-upgrade', {});
    expect([status, json['code'], json['detail']]).toEqual([409, 'upgrade_unfinished', 'node-2 is away']);
  });
});

test('the level of the log: told, changed for this process, and no other word is one', async () => {
  const type = { 'Content-Type': 'application/json' };
  const put = (body: string) => door.ask('PUT', '/v1/admin/log-level', { body, headers: type });
  expect((await door.ask('GET', '/v1/admin/log-level')).json).toEqual({ level: 'info' });
  expect((await put('{"level":"debug"}')).json).toEqual({ level: 'debug' });
  expect(door.log.level()).toBe('debug');
  expect((await put('{"level":"silent"}')).status).toBe(400);
  expect((await door.ask('GET', '/v1/admin/log-level')).json).toEqual({ level: 'debug' });
});
