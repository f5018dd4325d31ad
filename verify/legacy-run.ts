/**
 * Legacy: a key that exists only in the legacy API is fetched once, is in PostgreSQL and on its owners from then on,
 * and is served without the API; ten thousand concurrent readers cause one call; a deleted key stays deleted.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { mayTryAnother } from '../src/client/causeway-error.ts';
import { connect, type CausewayClient } from '../src/client/index.ts';
import { textOf } from './call.ts';
import type { Report, RunOptions } from './options.ts';
import { ownerCountOf, sqlRows, untilReady, type LegacyView, type World, type WorldNode } from './world.ts';

const GETS_AT_ONCE = 10_000;
/** Operations under way at one node: enough that all of them wait for the single call. */
const UNANSWERED_MAX = 4_000;
const TIMEOUT_MS = 30_000;
const ASK_AGAIN_MS = 100;

interface Scene {
  readonly world: World;
  readonly legacy: LegacyView;
  /** One for each node, speaking only to that one. */
  readonly clients: readonly CausewayClient[];
  readonly faults: string[];
  readonly told: string[];
}

export async function runLegacy(world: World, { tell }: RunOptions): Promise<Report> {
  const { legacy } = world;
  if (legacy === null) throw new Error('this cluster does not read from the sample legacy API: use --own');
  await untilReady(world);
  const clients = world.nodes.map(({ address }) => connect({ nodes: [address], timeoutMs: TIMEOUT_MS }));
  const scene: Scene = { world, legacy, clients, faults: [], told: [] };
  try {
    tell('a key that stands only in the legacy API');
    await fetchedOnce(scene);
    tell(`${GETS_AT_ONCE} gets of one cold key at once`);
    await manyAtOnce(scene);
    tell('keys that are deleted');
    await staysDeleted(scene);
  } finally {
    for (const client of clients) client.close();
  }
  const { faults, told } = scene;
  return { verdict: faults.length === 0 ? 'passed' : 'failed', faults, told, figures: { told } };
}

async function fetchedOnce(scene: Scene): Promise<void> {
  const { world, legacy, clients, told } = scene;
  const [cold] = await legacy.coldKeys(1);
  const { key, value } = cold!;
  expectEqual(scene, `${key} in PostgreSQL before it was read`, await rowValue(world, key), undefined);
  expectEqual(scene, `${key} at ${world.nodes[0]!.name}`, await read(clients[0]!, key), value);
  expectEqual(scene, `${key} in PostgreSQL`, await rowValue(world, key), value);
  const silenced = await legacy.silence();
  let owners = 0;
  try {
    for (const [at, node] of world.nodes.entries()) {
      owners += await expectHeld(scene, clients[at]!, node, key, value);
      expectEqual(scene, `${key} at ${node.name}, legacy silent`, await read(clients[at]!, key), value);
    }
  } finally {
    await silenced?.();
  }
  expectEqual(scene, `owners of ${key}`, owners, ownerCountOf(world));
  const calls = await legacy.callsOf(key);
  expectEqual(scene, `calls to legacy for ${key}`, calls, 1);
  told.push(`a legacy key     ${calls} call, then in PostgreSQL and at its owners, read at every node`);
  told.push(
    silenced === null
      ? 'legacy stopped   LEFT OUT: the sample API of this cluster is not a process that can be held'
      : 'legacy stopped   the key was read at every node while the legacy API answered nobody',
  );
}

/** 1 if this node is an owner and so must hold it, else 0. */
async function expectHeld(
  scene: Scene,
  client: CausewayClient,
  node: WorldNode,
  key: string,
  value: string,
): Promise<number> {
  const { owner, valid, entry } = await client.inspect(node.address, key);
  if (!owner) return 0;
  const held = entry === undefined ? undefined : textOf(entry.value);
  expectEqual(scene, `${key} in the store of ${node.name}`, held, value);
  if (!valid) scene.faults.push(`${key}: not valid at ${node.name}`);
  return 1;
}

/** A node that loses its lease for a moment, as may happen on a busy machine, fails definitely, and is asked again. */
async function answerInTime(ask: () => Promise<string>, giveUpAt: number): Promise<string> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!mayTryAnother(error) || performance.now() > giveUpAt) return `failed: ${String(error)}`;
      await delay(ASK_AGAIN_MS);
    }
  }
}

async function manyAtOnce(scene: Scene): Promise<void> {
  const { legacy, clients, told } = scene;
  const [cold] = await legacy.coldKeys(1);
  const { key, value } = cold!;
  const options = { unansweredMax: UNANSWERED_MAX, timeoutMs: TIMEOUT_MS };
  const pipelines = await Promise.all(clients.map((client) => client.pipeline(options)));
  const giveUpAt = performance.now() + TIMEOUT_MS;
  const gets = Array.from({ length: GETS_AT_ONCE }, (_, at) =>
    answerInTime(() => pipelines[at % pipelines.length]!.get(key).then(asText), giveUpAt),
  );
  const answers = new Map<string, number>();
  for (const answer of await Promise.all(gets)) answers.set(answer, (answers.get(answer) ?? 0) + 1);
  await Promise.all(pipelines.map((pipeline) => pipeline.close()));
  expectEqual(
    scene,
    `the answers for ${key}`,
    JSON.stringify([...answers]),
    JSON.stringify([[value, GETS_AT_ONCE]]),
  );
  const calls = await legacy.callsOf(key);
  expectEqual(scene, `calls to legacy for ${key}`, calls, 1);
  told.push(
    `all at once      ${GETS_AT_ONCE} gets of one cold key over ${clients.length} nodes: ${calls} call to legacy`,
  );
}

async function staysDeleted(scene: Scene): Promise<void> {
  const { world, legacy, clients, told } = scene;
  const [first, second] = await legacy.coldKeys(2);
  expectEqual(scene, `${first!.key} before its deletion`, await read(clients[0]!, first!.key), first!.value);
  for (const { key } of [first!, second!]) await clients[0]!.delete(key);
  for (const { key } of [first!, second!]) {
    for (const [at, { name }] of world.nodes.entries()) {
      expectEqual(scene, `${key} at ${name}, deleted`, await read(clients[at]!, key), undefined);
    }
    expectEqual(scene, `${key} in PostgreSQL, deleted`, await rowValue(world, key), undefined);
  }
  expectEqual(scene, `calls to legacy for ${second!.key}`, await legacy.callsOf(second!.key), 0);
  told.push('deleted keys     stay deleted at every node, the one that was never read before as well');
}

async function read(client: CausewayClient, key: string): Promise<string | undefined> {
  const value = await client.get(key);
  return value === undefined ? undefined : textOf(value);
}

/** As plain SQL sees it; undefined if there is no live row. */
async function rowValue(world: World, key: string): Promise<string | undefined> {
  const rows = await sqlRows(world, 'select value from causeway.record where key = $1 and not deleted', [
    key,
  ]);
  return rows.length === 0 ? undefined : textOf(rows[0]!['value'] as Uint8Array);
}

function asText(value: Uint8Array | undefined): string {
  return value === undefined ? 'absent' : textOf(value);
}

function expectEqual<Value>(scene: Scene, what: string, is: Value, wanted: Value): void {
  if (is !== wanted) scene.faults.push(`${what}: ${String(is)} instead of ${String(wanted)}`);
}
