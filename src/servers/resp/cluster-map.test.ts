/**
 * Which addresses a door reports for the owners of slots: those that members report, unless the configuration overrides
 * them.
 */
import { afterEach, expect, test } from 'vitest';
import type { ClusterAnswer } from '../../node/cluster-orders.ts';
import { openRespDoor } from '../../../test/support/resp-door.ts';
import type { RespFixture } from '../../../test/support/resp-door.ts';

let door: RespFixture;
afterEach(() => door.stop());

const member = (name: string, resp: string): object => ({ name, alive: true, grpc: 'h:1', http: '', resp });

function mapOf(members: readonly object[], owners: readonly string[]): ClusterAnswer {
  const ranges = [{ from: 0, to: 16_383, owners }];
  return { kind: 'slots', map: { epoch: 3, members, ranges } } as ClusterAnswer;
}

/** The address of each line of CLUSTER NODES, and whether that node is the master of slots. */
async function nodesTold(): Promise<string[]> {
  const line = await door.connect();
  const told = await line.ask('CLUSTER NODES');
  return told
    .trim()
    .split('\n')
    .map((each) => `${each.split(' ')[1]!.split('@')[0]}${each.includes('0-16383') ? ' serves' : ''}`);
}

/** The ranges of CLUSTER SLOTS, with members at 10.0.0.1, 10.0.0.2 and so on. */
async function rangesTold(): Promise<string[]> {
  const line = await door.connect();
  line.send('CLUSTER SLOTS');
  line.send('PING');
  const words: string[] = [];
  for (let word = await line.reply(); word !== '+PONG'; word = await line.reply()) words.push(word);
  return words
    .join(' ')
    .split(/\*\d+ (?=:\d+ :\d+ )/)
    .slice(1)
    .map((range) => {
      const [, from, to] = /^:(\d+) :(\d+)/.exec(range)!;
      const [master, ...replicas] = [...range.matchAll(/10\.0\.0\.(\d)/g)].map(([, host]) => host);
      return `${from}-${to}: master ${master}, replicas ${replicas.join(' ')}`;
    });
}

test('what members tell is told on, and it serves who owns', async () => {
  door = await openRespDoor();
  const members = [member('fake', '10.0.0.1:6379'), member('b', '10.0.0.2:6379')];
  door.api.answers.push(mapOf(members, ['b', 'fake']));
  expect(await nodesTold()).toEqual(['10.0.0.1:6379', '10.0.0.2:6379 serves']);
});

test('what is written down counts more', async () => {
  door = await openRespDoor({ addresses: new Map([['b', 'outside:7002']]) });
  const members = [member('fake', '10.0.0.1:6379'), member('b', '10.0.0.2:6379')];
  door.api.answers.push(mapOf(members, ['b', 'fake']));
  expect(await nodesTold()).toEqual(['10.0.0.1:6379', 'outside:7002 serves']);
});

test('a node that nobody knows a door of is where the client has reached it, and stands in for others', async () => {
  door = await openRespDoor();
  door.api.answers.push(mapOf([member('fake', ''), member('b', '')], ['b', 'fake']));
  expect(await nodesTold()).toEqual([`127.0.0.1:${door.server.port} serves`]);
});

test('owners behind the first one in whatever order: slots beside each other with the same ones are told as one range', async () => {
  door = await openRespDoor();
  const members = ['a', 'b', 'c'].map((name, at) => member(name, `10.0.0.${at + 1}:6379`));
  const orders = [
    ['b', 'a', 'c'],
    ['b', 'c', 'a'],
    ['c', 'b', 'a'],
    ['b', 'a', 'c'],
  ];
  const ranges = orders.map((owners, at) => ({ from: at * 4_096, to: at * 4_096 + 4_095, owners }));
  door.api.answers.push({ kind: 'slots', map: { epoch: 3, members, ranges } } as ClusterAnswer);
  const shown = await rangesTold();
  const [, others] = shown[0]!.split(', ');
  expect(['replicas 1 3', 'replicas 3 1']).toContain(others);
  expect(shown).toEqual([
    `0-8191: master 2, ${others}`,
    expect.stringMatching(/^8192-12287: master 3, replicas (1 2|2 1)$/),
    `12288-16383: master 2, ${others}`,
  ]);
});

test('replicas of a master are those that own all slots for which it is first', async () => {
  door = await openRespDoor();
  const members = ['a', 'b', 'c', 'd'].map((name, at) => member(name, `10.0.0.${at + 1}:6379`));
  const ranges = [
    { from: 0, to: 1, owners: ['a', 'b', 'c'] },
    { from: 2, to: 3, owners: ['a', 'd', 'c'] },
    { from: 4, to: 5, owners: ['b', 'a', 'c'] },
    { from: 6, to: 7, owners: ['b', 'c', 'd'] },
    { from: 8, to: 9, owners: ['d', 'a', 'b'] },
    { from: 10, to: 16_383, owners: ['a', 'c', 'b'] },
  ];
  door.api.answers.push({ kind: 'slots', map: { epoch: 3, members, ranges } } as ClusterAnswer);
  expect((await rangesTold()).map((range) => range.replace(/, replicas .*/, ''))).toEqual([
    '0-3: master 1',
    '4-7: master 2',
    '8-9: master 4',
    '10-16383: master 1',
  ]);
  door.api.answers.push({ kind: 'slots', map: { epoch: 3, members, ranges } } as ClusterAnswer);
  const replicas = (await rangesTold()).map((range) => range.split(', replicas ')[1]!);
  expect(replicas.map((each) => each.split(' ').sort().join(' '))).toEqual(['3', '3', '1 2', '3']);
});

test('an address that was learnt since is told from then on', async () => {
  door = await openRespDoor();
  const before = mapOf([member('fake', ''), member('b', '')], ['b', 'fake']);
  const after = mapOf([member('fake', ''), member('b', '[fd00::2]:6379')], ['b', 'fake']);
  door.api.answers.push(before, after);
  const own = `127.0.0.1:${door.server.port}`;
  expect(await nodesTold()).toEqual([`${own} serves`]);
  expect(await nodesTold()).toEqual([own, 'fd00::2:6379 serves']);
});

test('CLUSTER NODES: slots of one master beside each other are one range, whoever else owns them', async () => {
  door = await openRespDoor();
  const members = ['a', 'b', 'c'].map((name, at) => member(name, `10.0.0.${at + 1}:6379`));
  const ranges = [
    { from: 0, to: 4, owners: ['a', 'b'] },
    { from: 5, to: 5, owners: ['a', 'c'] },
    { from: 6, to: 6, owners: ['b', 'c'] },
    { from: 7, to: 16_382, owners: ['c', 'a'] },
    { from: 16_383, to: 16_383, owners: ['a', 'b'] },
  ];
  door.api.answers.push({ kind: 'slots', map: { epoch: 3, members, ranges } } as ClusterAnswer);
  const told = await (await door.connect()).ask('CLUSTER NODES');
  const served = told
    .trim()
    .split('\n')
    .map((line) => line.split(' ').slice(8).join(' '));
  expect(served).toEqual(['0-5 16383', '6', '7-16382']);
});
