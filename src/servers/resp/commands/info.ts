/** INFO: the fields that clients and tools read, each as far as a node knows it. */
import { RESP_CONNECTIONS_MAX } from '../../../core/redis-limits.ts';
import type { NodeStatus } from '../../../node/api.ts';
import type { Door } from '../door.ts';
import { REDIS_VERSION } from '../redis-version.ts';

type Fields = readonly (readonly [string, string | number])[];

const SECTIONS: Readonly<Record<string, (door: Door, status: NodeStatus) => Fields>> = {
  server: (door, status) => [
    ['redis_version', REDIS_VERSION],
    ['redis_mode', 'cluster'],
    ['server_name', 'causeway'],
    ['os', `${process.platform} ${process.arch}`],
    ['arch_bits', 64],
    ['process_id', process.pid],
    ['run_id', runId(status)],
    ['tcp_port', door.port],
    ['server_time_usec', Date.now() * 1000],
    ['uptime_in_seconds', Math.floor((Date.now() - door.startedAt) / 1000)],
    ['uptime_in_days', Math.floor((Date.now() - door.startedAt) / 86_400_000)],
    ['causeway_node', status.name],
    ['causeway_phase', status.phase],
    ['causeway_epoch', status.epoch],
  ],
  clients: (door) => [
    ['connected_clients', door.clients.size],
    ['maxclients', Math.min(door.connectionsMax, RESP_CONNECTIONS_MAX)],
    ['blocked_clients', 0],
    ['tracking_clients', door.tracking.clientCount],
  ],
  memory: () => {
    const { rss, heapUsed } = process.memoryUsage();
    return [
      ['used_memory', heapUsed],
      ['used_memory_rss', rss],
      ['maxmemory', 0],
      ['maxmemory_policy', 'noeviction'],
    ];
  },
  persistence: (_door, status) => [
    // Clients wait for it to become 0 before they send anything.
    ['loading', status.phase === 'serving' || status.phase === 'learning' ? 0 : 1],
    ['rdb_bgsave_in_progress', 0],
    ['aof_enabled', 1],
    ['aof_last_write_status', status.disk.state === 'low' ? 'err' : 'ok'],
  ],
  stats: (door, status) => [
    ['total_connections_received', door.counts.connections],
    ['total_commands_processed', door.counts.commands],
    ['total_net_input_bytes', door.counts.inputBytes],
    ['total_net_output_bytes', door.counts.outputBytes],
    ['rejected_connections', door.counts.rejected],
    ['tracking_total_keys', door.tracking.table.keyCount],
    ['tracking_total_items', door.tracking.table.itemCount],
    ['tracking_total_prefixes', door.tracking.prefixCount],
    ['causeway_reads', status.operations.reads],
    ['causeway_writes', status.operations.writes],
    ['causeway_failures', status.operations.failures],
  ],
  replication: () => [
    ['role', 'master'],
    ['connected_slaves', 0],
    ['master_repl_offset', 0],
  ],
  cpu: () => {
    const { user, system } = process.cpuUsage();
    return [
      ['used_cpu_sys', (system / 1e6).toFixed(6)],
      ['used_cpu_user', (user / 1e6).toFixed(6)],
    ];
  },
  cluster: () => [['cluster_enabled', 1]],
  keyspace: (_door, status) =>
    status.keysHeld === 0 ? [] : [['db0', `keys=${status.keysHeld},expires=0,avg_ttl=0`]],
};

const EVERYTHING: readonly string[] = ['all', 'default', 'everything'];

/** No section named: all of them. */
export function infoText(door: Door, sections: readonly string[]): string {
  const status = door.api.status();
  const isWhole = sections.length === 0 || sections.some((name) => EVERYTHING.includes(name));
  const parts: string[] = [];
  for (const [name, fieldsOf] of Object.entries(SECTIONS)) {
    if (!isWhole && !sections.includes(name)) continue;
    const title = name === 'cpu' ? 'CPU' : name[0]!.toUpperCase() + name.slice(1);
    const lines = fieldsOf(door, status).map(([field, value]) => `${field}:${value}\r\n`);
    parts.push(`# ${title}\r\n${lines.join('')}`);
  }
  return parts.join('\r\n');
}

/** 40 characters as Redis has them, another one for each start of the process. */
function runId({ id, incarnation }: NodeStatus): string {
  return `${id.toString(16).padStart(8, '0')}${incarnation.toString(16).padStart(32, '0')}`.slice(0, 40);
}
