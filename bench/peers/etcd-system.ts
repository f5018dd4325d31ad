/**
 * An etcd cluster of three in its default configuration: it syncs its log at a majority of its members before it
 * answers.
 */
import { freePorts } from '../world.ts';
import type { World } from '../world.ts';
import type { System } from './contender.ts';
import { ServerProcess } from './server-process.ts';

const MEMBERS = 3;
/** Quota of its database; the default is enough only for a short run. */
const QUOTA_BYTES = 8 * 1024 ** 3;

export async function startEtcd(world: World): Promise<System> {
  const ports = await freePorts(MEMBERS * 2);
  const urlOf = (port: number): string => `http://127.0.0.1:${port}`;
  const members = Array.from({ length: MEMBERS }, (_, at) => ({
    name: `etcd-${at + 1}`,
    client: ports[at]!,
    peer: ports[MEMBERS + at]!,
  }));
  const all = members.map(({ name, peer }) => `${name}=${urlOf(peer)}`).join();
  const servers = members.map(
    ({ name, client, peer }) =>
      new ServerProcess(world, name, 'etcd', (directory) => [
        ...['--name', name, '--data-dir', `${directory}/data`, '--log-level', 'error'],
        ...['--listen-client-urls', urlOf(client), '--advertise-client-urls', urlOf(client)],
        ...['--listen-peer-urls', urlOf(peer), '--initial-advertise-peer-urls', urlOf(peer)],
        ...['--initial-cluster', all, '--quota-backend-bytes', String(QUOTA_BYTES)],
      ]),
  );
  await Promise.all(servers.map((server, at) => server.untilReady(() => isHealthy(members[at]!.client))));
  return {
    id: 'etcd',
    name: 'etcd of three',
    promise: 'synced to the logs of at least two of three members; reads are linearizable',
    disks: 2,
    target: { kind: 'etcd', addresses: members.map(({ client }) => `127.0.0.1:${client}`) },
    pids: () => servers.map(({ pid }) => pid),
    directories: servers.map(({ directory }) => directory),
  };
}

async function isHealthy(port: number): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:${port}/health`, { signal: AbortSignal.timeout(2_000) });
  if (!/"health":\s*"true"/.test(await answer.text())) throw new Error('not healthy yet');
}
