/** Causeway through its Redis door: three nodes with PostgreSQL, and three without. */
import { join } from 'node:path';
import { startNodes } from '../node-processes.ts';
import type { NodeProcesses } from '../node-processes.ts';
import type { World } from '../world.ts';
import type { System } from './contender.ts';
import { clusterRanges } from './redis-systems.ts';
import { homeOfDatabase } from './postgres-systems.ts';

export interface CausewaySystem extends System {
  readonly nodes: NodeProcesses;
}

export async function startCauseway(world: World): Promise<CausewaySystem> {
  const nodes = await startNodes(world, { command: 'node', hasRespDoor: true });
  const { pid, directory } = await homeOfDatabase(nodes.databaseUrl);
  return {
    id: 'causeway',
    name: 'Causeway',
    promise: 'committed in PostgreSQL and synced to the disks of all three nodes; reads are linearizable',
    disks: 4,
    target: await targetOf(nodes),
    pids: () => [...nodes.pids, pid],
    directories: [directory, ...nodes.nodes.map(({ home }) => join(home, 'data'))],
    nodes,
  };
}

export async function startCausewayDisks(world: World): Promise<CausewaySystem> {
  const nodes = await startNodes(world, { command: 'node', hasRespDoor: true, isWithoutPostgres: true });
  return {
    id: 'causeway-disks',
    name: 'Causeway without PostgreSQL',
    promise: 'synced to the disks of all three nodes; reads are linearizable',
    disks: 3,
    target: await targetOf(nodes),
    pids: () => nodes.pids,
    directories: nodes.nodes.map(({ home }) => join(home, 'data')),
    nodes,
  };
}

async function targetOf(nodes: NodeProcesses): Promise<System['target']> {
  return { kind: 'resp', ranges: await clusterRanges(nodes.nodes[0]!.respPort) };
}
