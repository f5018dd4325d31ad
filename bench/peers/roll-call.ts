/** Starts every system that can run on this machine, and names those that cannot. */
import { tellStep } from '../progress.ts';
import type { World } from '../world.ts';
import { startCauseway, startCausewayDisks } from './causeway-systems.ts';
import type { CausewaySystem } from './causeway-systems.ts';
import { Contender } from './contender.ts';
import type { Skipped, System } from './contender.ts';
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
  const add = async (name: string, needs: string | null, start: () => Promise<System | System[]>) => {
    if (needs !== null && !isInstalled(needs)) {
      skipped.push({ name, reason: `there is no ${needs} on this machine` });
      return;
    }
    tellStep(`starting ${name}`);
    systems.push(...[await start()].flat());
  };
  tellStep('starting Causeway');
  const causeway = await startCauseway(world);
  systems.push(causeway, await startCausewayDisks(world));
  await add('Redis alone, AOF always', 'redis-server', () => startRedis(world));
  await add('Redis Cluster of three, AOF always', 'redis-server', () => startRedisCluster(world));
  await add('etcd of three', 'etcd', () => startEtcd(world));
  await add('PostgreSQL alone', null, () => startPostgresAlone(world));
  await add('ioredis + pg, written by hand', 'redis-server', () => startHandWritten(world));
  const contenders = systems.map((system) => new Contender(world, system));
  return { contenders, skipped, causeway };
}
