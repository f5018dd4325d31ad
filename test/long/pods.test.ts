/**
 * Pods that come and go by the number of replicas alone, as in the manifests (deploy/kubernetes), with real processes.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { objectsOf } from '../deploy/chart.ts';
import { statefulSetOf } from '../deploy/pod-template.ts';
import { Pods } from '../support/pods.ts';
import { buildProgram } from '../support/supervisor-program.ts';

const KEYS = Array.from({ length: 50 }, (_, index) => `key-${index}`);

let program: Awaited<ReturnType<typeof buildProgram>>;
let pods: Pods;
beforeAll(async () => {
  program = await buildProgram('src/cli/main.ts');
  pods = await Pods.prepare(statefulSetOf(objectsOf()), program.entry);
});
afterAll(async () => {
  await pods.close();
  program.remove();
});

test('four pods of one template, the newcomer first, before any name is known: three found a cluster, the fourth joins it', async () => {
  pods.startAll([3, 2]);
  await pods.scale(4);
  await pods.untilReady(0, 1, 2, 3);
  await pods.untilShared(0, 1, 2, 3);
  const { members } = (await pods.status(1))!;
  expect(members.map(({ name }) => name).sort()).toEqual([
    'causeway-0',
    'causeway-1',
    'causeway-2',
    'causeway-3',
  ]);
  const client = pods.client();
  for (const key of KEYS) await client.set(key, `of ${key}`);
});

test('one replica less: the last one leaves before it ends, and nothing is lost', async () => {
  await pods.scale(3);
  await pods.untilShared(0, 1, 2);
  const client = pods.client();
  for (const key of KEYS) expect(Buffer.from((await client.get(key))!).toString()).toBe(`of ${key}`);
});

test('below the founders and up again, with the claims of before: who has left is a member anew', async () => {
  await pods.scale(4);
  await pods.untilShared(0, 1, 2, 3);
  // Two at once, one of them a founder.
  await pods.scale(2);
  await pods.untilShared(0, 1);
  await pods.scale(3);
  await pods.untilShared(0, 1, 2);
  const client = pods.client();
  for (const key of KEYS) expect(Buffer.from((await client.get(key))!).toString()).toBe(`of ${key}`);
});

test('no replicas at all: everybody stops, nobody leaves, and all come back', async () => {
  await pods.scale(0);
  await pods.scale(3);
  await pods.untilShared(0, 1, 2);
  expect(Buffer.from((await pods.client().get(KEYS[0]!))!).toString()).toBe(`of ${KEYS[0]!}`);
});
