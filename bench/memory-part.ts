/** The memory that a node needs for a million keys: neither the heap nor the process may grow with their number. */
import { startNodes } from './node-processes.ts';
import type { Measure } from './report.ts';
import type { World } from './world.ts';

const KEY_COUNT_FULL = 1_000_000;
const KEY_COUNT_QUICK = 100_000;
const HEAP_MB_MAX = 150;
const RESIDENT_MB_MAX = 350;

export async function memoryPart(world: World): Promise<Measure[]> {
  const keyCount = world.quick ? KEY_COUNT_QUICK : KEY_COUNT_FULL;
  const nodes = await startNodes(world, { command: 'engine-node' });
  try {
    const share = Math.ceil(keyCount / nodes.nodes.length);
    const startedAt = performance.now();
    const loads = nodes.nodes.map(({ name }, at) => {
      const to = Math.min(keyCount, (at + 1) * share);
      return nodes.order(name, { kind: 'load', inFlight: 500, from: at * share, to });
    });
    await Promise.all(loads);
    const rate = (keyCount / (performance.now() - startedAt)) * 1000;
    const { heapMb, residentMb, mappedMb } = await nodes.order('node-1', { kind: 'memory' });
    const part = 'memory';
    const named = `${keyCount.toLocaleString('en-US')} keys`;
    return [
      { part, name: `${named}: heap`, value: heapMb, unit: 'MB', target: { atMost: HEAP_MB_MAX } },
      {
        part,
        name: `${named}: resident`,
        value: residentMb,
        unit: 'MB',
        target: { atMost: RESIDENT_MB_MAX },
      },
      { part, name: `${named}: of it pages of mapped files`, value: mappedMb, unit: 'MB' },
      { part, name: 'new keys, durable', value: rate, unit: '/s' },
    ];
  } finally {
    await nodes.close();
  }
}
