/**
 * One node of three is cut off from the others without notice, one key in a hundred is written meanwhile, and the cut
 * is healed. Measures how long it takes until that node is again a complete owner of everything and acknowledges writes
 * itself.
 */
import { connect } from '../src/client/index.ts';
import { FaultNetwork } from '../verify/chaos/fault-network.ts';
import type { Way } from '../verify/chaos/wires.ts';
import { CopyWatch } from '../verify/moves.ts';
import { isReady, statusOf, until } from '../verify/world.ts';
import { KeySpace } from '../verify/key-space.ts';
import { benchValue } from './keys.ts';
import { startNodes } from './node-processes.ts';
import type { NodeProcesses } from './node-processes.ts';
import { tellDone, tellLine } from './progress.ts';
import type { Measure } from './report.ts';
import type { World } from './world.ts';

const KEYS_FULL = 1_000_000;
const KEYS_QUICK = 20_000;
const DIFFERING_SHARE = 0.01;
const WHOLE_MS_MAX = 10_000;
const TIMEOUT_MS = 120_000;
const PUT_TIMEOUT_MS = 10_000;
const part = 'healing';

export async function healingPart(world: World): Promise<Measure[]> {
  const count = world.keys ?? (world.quick ? KEYS_QUICK : KEYS_FULL);
  let network: FaultNetwork | undefined;
  const nodes = await startNodes(world, {
    command: 'node',
    dials: async (members, databaseUrl) => {
      const made = await FaultNetwork.start(members, databaseUrl, Math.random);
      network = made;
      return (name) => made.dialOf(name);
    },
  });
  try {
    const keys = new KeySpace('healing:', count);
    await keys.fill(nodes.addresses, benchValue, tellDone('keys written', count));
    tellLine('');
    return await cutAndHeal(nodes, network!, keys);
  } finally {
    await nodes.close();
    await network?.close();
  }
}

async function cutAndHeal(nodes: NodeProcesses, network: FaultNetwork, keys: KeySpace): Promise<Measure[]> {
  const lost = nodes.nodes[2]!;
  const others = nodes.nodes.slice(0, 2);
  const ways = others.flatMap(({ name }): Way[] => [
    [lost.name, name],
    [name, lost.name],
  ]);
  const heal = network.setWeather(ways, { isHeld: true });
  const isOut = async (): Promise<boolean> =>
    (await statusOf(others[0]!))?.members.find(({ name }) => name === lost.name)?.alive === false;
  await until(`${lost.name} is out`, isOut, TIMEOUT_MS);
  const differing = Math.ceil(keys.count * DIFFERING_SHARE);
  await writeSome(keys, others[0]!.address, differing);

  const watch = new CopyWatch(() => nodes.nodes);
  await watch.start();
  const healedAt = performance.now();
  heal();
  await until(`${lost.name} is a complete owner`, () => isReady(lost), TIMEOUT_MS);
  const completeMs = performance.now() - healedAt;
  const client = connect({ nodes: [lost.address] });
  try {
    await client.set('healing-probe', 'x', { timeoutMs: PUT_TIMEOUT_MS });
  } finally {
    client.close();
  }
  const servesMs = performance.now() - healedAt;
  const copied = await watch.stop();
  const missing = await keys.missingAt(lost.address, tellDone('keys read', keys.count));
  tellLine('');
  return [
    { part, name: 'keys', value: keys.count, unit: '' },
    { part, name: 'of them written during the cut', value: differing, unit: '' },
    {
      part,
      name: 'healed: complete again after',
      value: completeMs / 1_000,
      unit: 's',
      target: { atMost: WHOLE_MS_MAX / 1_000 },
    },
    {
      part,
      name: 'healed: acknowledges a write after',
      value: servesMs / 1_000,
      unit: 's',
      target: { atMost: WHOLE_MS_MAX / 1_000 },
    },
    { part, name: 'records copied', value: copied.records, unit: '' },
    {
      part,
      name: 'records copied',
      value: copied.forMs === 0 ? 0 : (copied.records / copied.forMs) * 1_000,
      unit: '/s',
    },
    { part, name: 'acknowledged writes missing there', value: missing, unit: '', target: { atMost: 0 } },
  ];
}

/** Spread over all keys. */
async function writeSome(keys: KeySpace, address: string, count: number): Promise<void> {
  const client = connect({ nodes: [address] });
  try {
    const pipeline = await client.pipeline();
    const step = Math.floor(keys.count / count);
    const puts: Promise<void>[] = [];
    for (let at = 0; at < count; at += 1) {
      await pipeline.room();
      puts.push(keys.put(pipeline, at * step, benchValue()));
    }
    await Promise.all(puts);
  } finally {
    client.close();
  }
}
