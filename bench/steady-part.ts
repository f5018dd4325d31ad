/**
 * Ten minutes at full load, without a fault: load alone must not make members suspect one another, so the epoch at the
 * end must be the one at the beginning.
 */
import { connect } from '../src/client/index.ts';
import { viewNode } from '../src/supervisor/node-probe.ts';
import { startNodes } from './node-processes.ts';
import type { NodeProcesses } from './node-processes.ts';
import { loadKeys, rateOf } from './pipeline-part.ts';
import type { Measure } from './report.ts';
import { median } from './statistics.ts';
import type { World } from './world.ts';

const FULL_MS = 600_000;
const QUICK_MS = 10_000;
const SLICE_MS = 10_000;
const PUTS_IN_FLIGHT = 600;

export async function steadyPart(world: World): Promise<Measure[]> {
  const forMs = world.quick ? QUICK_MS : FULL_MS;
  const nodes = await startNodes(world, { command: 'node' });
  const clients = nodes.addresses.map((address) => connect({ nodes: [address] }));
  try {
    const pipelines = await Promise.all(clients.map((client) => client.pipeline()));
    await loadKeys(pipelines);
    const before = await epochsOf(nodes);
    const rates: number[] = [];
    for (let passedMs = 0; passedMs < forMs; passedMs += SLICE_MS) {
      rates.push(await rateOf(pipelines, PUTS_IN_FLIGHT, SLICE_MS));
      process.stderr.write(`\r  ${(passedMs + SLICE_MS) / 1000} of ${forMs / 1000} s under load `);
    }
    process.stderr.write('\r\u001b[K');
    const changes = Math.max(...(await epochsOf(nodes))) - Math.max(...before);
    const part = 'steady';
    const named = `${forMs / 60_000 < 1 ? `${forMs / 1000} s` : `${forMs / 60_000} min`} of all it takes`;
    return [
      { part, name: `${named}: changes of epoch`, value: changes, unit: '', target: { atMost: 0 } },
      { part, name: `${named}: durable put, median`, value: median(rates), unit: '/s' },
      { part, name: `${named}: durable put, slowest 10 s`, value: Math.min(...rates), unit: '/s' },
    ];
  } finally {
    for (const client of clients) client.close();
    await nodes.close();
  }
}

async function epochsOf(nodes: NodeProcesses): Promise<number[]> {
  const views = await Promise.all(nodes.nodes.map(({ name, httpPort }) => viewNode(name, httpPort)));
  for (const view of views) if (!view.answers) throw new Error(`${view.name} does not answer`);
  return views.map((view) => view.epoch);
}
