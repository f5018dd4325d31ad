/** Which nodes a command asks, with real servers: all members, each of them once, whichever ones were named. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { keptIo } from '../../test/support/command-io.ts';
import type { Ran } from '../../test/support/command-io.ts';
import { openDoors } from '../../test/support/grpc-call.ts';
import type { DoorFixture } from '../../test/support/grpc-call.ts';
import { connect } from '../client/index.ts';
import type { NodeStatus } from '../node/status.ts';
import { EveryNode, nameOf } from './every-node.ts';
import { asFacts } from './facts.ts';
import { runCommand } from './main.ts';

const NOBODY = '127.0.0.1:1';
const ALSO_NOBODY = '127.0.0.1:2';
/** A client tries a refused address again until its connect timeout, so tests wait that long for these. */
const silent: readonly string[] = [NOBODY, ALSO_NOBODY];
let doors: DoorFixture[];
beforeEach(async () => {
  doors = await Promise.all([openDoors(), openDoors(), openDoors(), openDoors()]);
  for (const [at, { api }] of doors.entries())
    api.statusChanges = { name: nameAt(at), members: doors.map((_, index) => member(index)) };
});
afterEach(() => Promise.all(doors.map((door) => door.stop())));

const nameAt = (at: number): string => `node-${at + 8}`;

function member(
  at: number,
  changes: Partial<NodeStatus['members'][number]> = {},
): NodeStatus['members'][number] {
  return {
    ...{
      id: at,
      name: nameAt(at),
      address: doors[at]?.address ?? NOBODY,
      alive: true,
      standing: 'in',
      protocol: 5,
    },
    ...{ slotsComplete: 1, slotsLearning: 0, linkUp: true, slow: '' },
    ...changes,
  };
}

function everyNode(seeds: string[], reach: 'guess' | 'named' | 'only'): EveryNode {
  return new EveryNode(seeds, reach, (address) =>
    connect({
      nodes: [address],
      timeoutMs: 10_000,
      connectTimeoutMs: silent.includes(address) ? 300 : 2_000,
    }),
  );
}

async function look(seeds: string[], reach: 'guess' | 'named' | 'only' = 'named'): Promise<string[]> {
  const nodes = everyNode(seeds, reach);
  try {
    return (await nodes.look()).map((told) => `${nameOf(told)}${'fault' in told ? ' silent' : ''}`);
  } finally {
    nodes.close();
  }
}

test('one of four is named: all are asked, in the order of their numbers', async () => {
  expect(await look([doors[2]!.address])).toEqual(['node-8', 'node-9', 'node-10', 'node-11']);
});

test('--only: nobody else is asked', async () => {
  expect(await look([doors[2]!.address], 'only')).toEqual(['node-10']);
});

test('a member that cannot be reached is there under its name; one that was healed around is none to wait for', async () => {
  const members = [
    member(0),
    member(1, { address: NOBODY }),
    member(9, { standing: 'healed', address: ALSO_NOBODY }),
  ];
  doors[0]!.api.statusChanges = { name: nameAt(0), members };
  expect(await look([doors[0]!.address])).toEqual(['node-8', 'node-9 silent']);
});

test('nobody is at a named address, and no member has it: that is told, as of a node that was replaced', async () => {
  doors[0]!.api.statusChanges = { name: nameAt(0), members: [member(0), member(1, { address: NOBODY })] };
  const nodes = everyNode([doors[0]!.address, ALSO_NOBODY, NOBODY], 'named');
  const told = await nodes.look();
  nodes.close();
  const faultAt = (address: string): string =>
    told.flatMap((each) => ('fault' in each && each.address === address ? [each.fault] : [])).join();
  expect(faultAt(ALSO_NOBODY)).toContain('no member has this address');
  expect(faultAt(NOBODY)).toContain('ECONNREFUSED');
  expect(faultAt(NOBODY)).not.toContain('no member');
});

test('the same node by another address than the one that members know: it is there once', async () => {
  const members = [member(0, { address: NOBODY })];
  doors[0]!.api.statusChanges = { name: nameAt(0), members };
  expect(await look([doors[0]!.address])).toEqual(['node-8']);
  expect(await look([doors[0]!.address, doors[0]!.address.replace('127.0.0.1', 'localhost')])).toEqual([
    'node-8',
  ]);
});

test('nobody is where a node usually is: no line where another answers; a line where somebody named it', async () => {
  doors[0]!.api.statusChanges = { name: nameAt(0), members: [member(0)] };
  expect(await look([doors[0]!.address, NOBODY], 'guess')).toEqual(['node-8']);
  expect(await look([doors[0]!.address, NOBODY], 'named')).toEqual(['? silent', 'node-8']);
  expect(await look([NOBODY, ALSO_NOBODY], 'guess')).toEqual(['? silent', '? silent']);
});

test('looks one after the other: a member that came is there, one that left is gone, one that died stays', async () => {
  doors[0]!.api.statusChanges = { name: nameAt(0), members: [member(0)] };
  const nodes = everyNode([doors[0]!.address], 'named');
  const names = async (): Promise<string[]> => (await nodes.look()).map(nameOf);
  try {
    expect(await names()).toEqual(['node-8']);
    doors[0]!.api.statusChanges = { name: nameAt(0), members: [member(0), member(1)] };
    expect(await names()).toEqual(['node-8', 'node-9']);
    await doors[1]!.stop();
    expect(await names()).toEqual(['node-8', 'node-9']);
    doors[0]!.api.statusChanges = { name: nameAt(0), members: [member(0)] };
    expect(await names()).toEqual(['node-8']);
  } finally {
    nodes.close();
  }
});

test('status and inspect of a cluster of four by one address: a line for each, exit 0 only if all serve', async () => {
  const run = async (...words: string[]): Promise<Ran> => {
    const { io, ran } = keptIo();
    await runCommand([...words, '--nodes', doors[0]!.address, '--timeout', '1000'], io);
    return ran;
  };
  const status = await run('status');
  expect(status.code).toBe(0);
  expect(status.out.match(/serving/g)).toHaveLength(4);
  const { nodes } = JSON.parse((await run('inspect', 'a', '--json')).out) as { nodes: object[] };
  expect(nodes.map((node) => asFacts(node)['node'])).toEqual(doors.map(({ address }) => address));
  await doors[3]!.stop();
  const without = await run('status');
  expect(without.code).toBe(1);
  expect(without.out).toMatch(/node-11 +127\.0\.0\.1:\d+ +unreachable/);
});
