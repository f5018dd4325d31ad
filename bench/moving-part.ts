/**
 * Three nodes become five and then three again, one at a time, while clients put at half the rate that the three can
 * handle. Measures how much is moved compared with the minimum, how fast, what clients see before, during and after
 * each change, and whether everything acknowledged is there at the end. Then measures the rate of copying alone,
 * without a limit or a load.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { connect } from '../src/client/index.ts';
import type { Pipeline } from '../src/client/pipeline.ts';
import { CopyWatch, isSharedAtAll, leastCopies, type Copied } from '../verify/moves.ts';
import { until } from '../verify/world.ts';
import { Foreground } from './foreground.ts';
import { KeySpace } from '../verify/key-space.ts';
import { benchValue } from './keys.ts';
import { startNodes } from './node-processes.ts';
import type { NodeProcesses } from './node-processes.ts';
import { rateOf } from './pipeline-part.ts';
import { tellDone, tellLine } from './progress.ts';
import type { Measure } from './report.ts';
import type { World } from './world.ts';

const KEYS_FULL = 1_000_000;
const KEYS_QUICK = 20_000;
/** For each key of 100 bytes, this many of 1 KiB: enough to copy for seconds, at a normal disk size. */
const LARGE_SHARE = 0.2;
const LARGE_VALUE_BYTES = 1_024;
const REPLICAS = 3;
const LOAD_SHARE = 0.5;
const PUTS_IN_FLIGHT = 300;
const MOVED_FACTOR_MAX = 1.1;
const P99_FACTOR_MAX = 2;
const RECORDS_PER_SECOND_MIN = 80_000;
const MEGABYTES_PER_SECOND_MIN = 50;
const MEGABYTE = 1_000_000;
const MOVE_TIMEOUT_MS = 600_000;
/** Milliseconds that the load continues before the first change and after each one. */
const CALM_MS = 5_000;
const CALM_MS_QUICK = 1_500;
/** Milliseconds that do not count as "before", while queues of the previous change are still being emptied. */
const SETTLE_MS = 500;
/** Milliseconds between two looks at the nodes: looking must not slow down the clients that are being measured. */
const LOOK_MS = 200;
const LOOK_MS_UNDER_LOAD = 500;
const part = 'moving';

export async function movingPart(world: World): Promise<Measure[]> {
  const count = world.keys ?? (world.quick ? KEYS_QUICK : KEYS_FULL);
  return [
    ...(await smallValues(world, count)),
    ...(await largeValues(world, Math.ceil(count * LARGE_SHARE))),
  ];
}

async function smallValues(world: World, count: number): Promise<Measure[]> {
  const nodes = await startNodes(world, { command: 'node' });
  try {
    const keys = new KeySpace('moving:', count);
    await keys.fill(nodes.addresses, benchValue, tellDone('keys written', count));
    const loaded = await underLoad(world, nodes, keys);
    const copied = await joined(nodes, 'node-6', { by: 'node-1', copyBytesPerSecondMax: 0 });
    return [
      ...loaded,
      ...rates('values of 100 bytes', copied, { atLeast: RECORDS_PER_SECOND_MIN }, undefined),
    ];
  } finally {
    await nodes.close();
  }
}

async function largeValues(world: World, count: number): Promise<Measure[]> {
  const nodes = await startNodes(world, { command: 'node' });
  try {
    const value = new Uint8Array(LARGE_VALUE_BYTES).map(() => Math.floor(Math.random() * 256));
    const keys = new KeySpace('large:', count);
    await keys.fill(nodes.addresses, () => value, tellDone('keys of 1 KiB written', count));
    const copied = await joined(nodes, 'node-4', { by: 'node-1', copyBytesPerSecondMax: 0 });
    return rates('values of 1 KiB', copied, undefined, { atLeast: MEGABYTES_PER_SECOND_MIN });
  } finally {
    await nodes.close();
  }
}

interface Change {
  readonly named: string;
  readonly make: () => Promise<void>;
}

async function underLoad(world: World, nodes: NodeProcesses, keys: KeySpace): Promise<Measure[]> {
  const perSecond = (await topRate(nodes, keys)) * LOAD_SHARE;
  const foreground = new Foreground(keys, perSecond);
  const addressOf = (name: string): string => nodes.node(name).address;
  await foreground.start([addressOf('node-1'), addressOf('node-3')], nodes.addresses);
  const admin = connect({ nodes: [addressOf('node-1')] });
  const leave = async (name: string): Promise<void> => {
    await admin.leave(name);
    await nodes.gone(name);
  };
  const changes: Change[] = [
    { named: '3 to 4', make: () => nodes.add('node-4', { by: 'node-1' }) },
    { named: '4 to 5', make: () => nodes.add('node-5', { by: 'node-2' }) },
    { named: '5 to 4', make: () => leave('node-2') },
    { named: '4 to 3', make: () => leave('node-5') },
  ];
  const measures: Measure[] = [{ part, name: 'load: puts offered', value: perSecond, unit: '/s' }];
  const calmMs = world.quick ? CALM_MS_QUICK : CALM_MS;
  try {
    await delay(calmMs);
    for (const change of changes)
      measures.push(...(await oneChange(nodes, keys, foreground, change, calmMs)));
  } finally {
    await foreground.stop();
    admin.close();
  }
  for (const told of foreground.told) process.stderr.write(`  ${told}\n`);
  const { failed, refused, stale, heldBack, stallMsMax } = foreground;
  const missing: number[] = [];
  for (const address of nodes.addresses)
    missing.push(await keys.missingAt(address, tellDone('keys read', keys.count)));
  const none = { atMost: 0 };
  return [
    ...measures,
    { part, name: 'operations that failed', value: failed, unit: '', target: none },
    { part, name: 'operations refused: too much to do', value: refused, unit: '', target: none },
    { part, name: 'reads older than was acknowledged', value: stale, unit: '', target: none },
    { part, name: 'acknowledged writes missing', value: Math.max(...missing), unit: '', target: none },
    { part, name: 'longest without an acknowledged write', value: stallMsMax, unit: 'ms' },
    { part, name: 'puts held back: the cluster was behind', value: heldBack, unit: '' },
  ];
}

async function oneChange(
  nodes: NodeProcesses,
  keys: KeySpace,
  foreground: Foreground,
  { named, make }: Change,
  calmMs: number,
): Promise<Measure[]> {
  const namesBefore = nodes.nodes.map(({ name }) => name);
  const beganAt = performance.now();
  const before = foreground.between(beganAt - calmMs + SETTLE_MS, beganAt);
  tellLine(`${named} nodes`);
  const copied = await watched(nodes, make, LOOK_MS_UNDER_LOAD);
  const endedAt = performance.now();
  const during = foreground.between(beganAt, endedAt);
  await delay(calmMs);
  tellLine('');
  const after = foreground.between(endedAt + SETTLE_MS, performance.now());
  const namesAfter = nodes.nodes.map(({ name }) => name);
  const least = leastCopies(REPLICAS, namesBefore, namesAfter) * keys.count;
  const of = (what: string): string => `${named}: ${what}`;
  return [
    { part, name: of('took'), value: (endedAt - beganAt) / 1_000, unit: 's' },
    {
      part,
      name: of('records copied, of the least possible'),
      value: copied.records / least,
      unit: '',
      target: { atMost: MOVED_FACTOR_MAX },
    },
    ...rates(named, copied, undefined, undefined),
    { part, name: of('put median before'), value: before.p50Ms, unit: 'ms' },
    { part, name: of('put median during'), value: during.p50Ms, unit: 'ms' },
    { part, name: of('put median after'), value: after.p50Ms, unit: 'ms' },
    { part, name: of('put p99 before'), value: before.p99Ms, unit: 'ms' },
    {
      part,
      name: of('put p99 during'),
      value: during.p99Ms,
      unit: 'ms',
      target: { atMost: before.p99Ms * P99_FACTOR_MAX },
    },
    { part, name: of('put p99 after'), value: after.p99Ms, unit: 'ms' },
  ];
}

function joined(
  nodes: NodeProcesses,
  name: string,
  joining: Parameters<NodeProcesses['add']>[1],
): Promise<Copied> {
  return watched(nodes, () => nodes.add(name, joining), LOOK_MS);
}

/** Makes a change of members and waits until every node has its share. */
async function watched(nodes: NodeProcesses, make: () => Promise<void>, everyMs: number): Promise<Copied> {
  const watch = new CopyWatch(() => nodes.nodes, everyMs);
  await watch.start();
  try {
    await make();
    const isDone = (): Promise<boolean> => isSharedAtAll(nodes.nodes, REPLICAS);
    await until('everybody has its share', isDone, MOVE_TIMEOUT_MS, everyMs);
  } catch (error) {
    await watch.stop();
    throw error;
  }
  return watch.stop();
}

function rates(
  named: string,
  { records, bytes, forMs }: Copied,
  recordsTarget: Measure['target'],
  megabytesTarget: Measure['target'],
): Measure[] {
  const perSecond = (amount: number): number => (forMs === 0 ? 0 : (amount / forMs) * 1_000);
  return [
    { part, name: `${named}: copied for`, value: forMs / 1_000, unit: 's' },
    { part, name: `${named}: copied`, value: perSecond(records), unit: 'records/s', target: recordsTarget },
    {
      part,
      name: `${named}: copied`,
      value: perSecond(bytes) / MEGABYTE,
      unit: 'MB/s',
      target: megabytesTarget,
    },
  ];
}

/** With exactly these keys; more would have to be moved, too. */
async function topRate(nodes: NodeProcesses, keys: KeySpace): Promise<number> {
  const clients = nodes.addresses.map((address) => connect({ nodes: [address] }));
  try {
    const pipelines = await Promise.all(clients.map((client) => client.pipeline()));
    // It does not matter here which ones fail.
    const put = (pipeline: Pipeline): Promise<void> =>
      keys.put(pipeline, keys.drawn(), benchValue()).catch(() => undefined);
    await rateOf(pipelines, PUTS_IN_FLIGHT, 1_000, put);
    return await rateOf(pipelines, PUTS_IN_FLIGHT, 3_000, put);
  } finally {
    for (const client of clients) client.close();
  }
}
