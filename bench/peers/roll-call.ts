/** Starts every system that can run on this machine, and names those that cannot. */
import { tellStep } from '../progress.ts';
import type { World } from '../world.ts';
import { startCauseway, startCausewayDisks } from './causeway-systems.ts';
import type { CausewaySystem } from './causeway-systems.ts';
import { Contender } from './contender.ts';
import type { ContenderId, Skipped, System } from './contender.ts';
import { startEtcd } from './etcd-system.ts';
import { startHandWritten, startPostgresAlone } from './postgres-systems.ts';
import { startRedis, startRedisCluster } from './redis-systems.ts';
import { isInstalled } from './server-process.ts';

export interface Field {
  readonly contenders: readonly Contender[];
  readonly skipped: readonly Skipped[];
  readonly causeway: CausewaySystem;
}

export async function callUp(world: World): Promise<Field> {
  const systems: System[] = [];
  const skipped: Skipped[] = [];
  const isWanted = (id: ContenderId): boolean => world.peers.systems?.includes(id) ?? true;
  const add = async (
    name: string,
    ids: readonly ContenderId[],
    needs: string | null,
    start: () => Promise<System | System[]>,
  ) => {
    if (!ids.some(isWanted)) return;
    if (needs !== null && !isInstalled(needs)) {
      skipped.push({ name, reason: `there is no ${needs} on this machine` });
      return;
    }
    tellStep(`starting ${name}`);
    systems.push(...[await start()].flat().filter(({ id }) => isWanted(id)));
  };
  tellStep('starting Causeway');
  const causeway = await startCauseway(world);
  systems.push(causeway);
  await add('Causeway without PostgreSQL', ['causeway-disks'], null, () => startCausewayDisks(world));
  await add('Redis alone, AOF always', ['redis'], 'redis-server', () => startRedis(world));
  await add('Redis Cluster of three, AOF always', ['redis-cluster'], 'redis-server', () =>
    startRedisCluster(world),
  );
  await add('etcd of three', ['etcd'], 'etcd', () => startEtcd(world));
  await add('PostgreSQL alone', ['postgres-rows', 'postgres-batches'], null, () => startPostgresAlone(world));
  await add('ioredis + pg, written by hand', ['hand-written'], 'redis-server', () => startHandWritten(world));
  const contenders = systems.map((system) => new Contender(world, system));
  return { contenders, skipped, causeway };
}
