/**
 * The fields of INFO, with the names and order of Redis, as far as a node knows them. What cannot exist here (snapshots
 * by a child process, replicas) is reported as by a Redis that has none; fields without a truthful value are left out.
 */
import { machine, release, totalmem, type } from 'node:os';
import { RESP_CONNECTIONS_MAX, RESP_IDLE_LOOK_MS } from '../../../core/clients/redis-limits.ts';
import type { NodeStatus } from '../../../node/status.ts';
import type { Door } from '../door.ts';
import { REDIS_VERSION } from '../redis-version.ts';

export type Fields = readonly (readonly [name: string, value: string | number])[];

export interface Section {
  readonly title: string;
  /** Included only if it is asked for by name. */
  readonly isLong?: boolean;
  readonly fields: (door: Door, status: NodeStatus) => Fields;
}

export const SECTIONS: readonly Section[] = [
  { title: 'Server', fields: server },
  { title: 'Clients', fields: clients },
  { title: 'Memory', fields: memory },
  { title: 'Persistence', fields: persistence },
  { title: 'Stats', fields: stats },
  { title: 'Replication', fields: replication },
  { title: 'CPU', fields: cpu },
  { title: 'Modules', fields: () => [] },
  { title: 'Commandstats', isLong: true, fields: commandStats },
  { title: 'Errorstats', fields: errorStats },
  { title: 'Latencystats', isLong: true, fields: latencyStats },
  { title: 'Cluster', fields: () => [['cluster_enabled', 1]] },
  { title: 'Keyspace', fields: keyspace },
];

function server(door: Door, status: NodeStatus): Fields {
  const upMs = Date.now() - door.startedAt;
  const perSecond = 1_000 / RESP_IDLE_LOOK_MS;
  return [
    ['redis_version', REDIS_VERSION],
    ['redis_git_sha1', '00000000'],
    ['redis_git_dirty', 0],
    ['redis_build_id', '0'],
    ['redis_mode', 'cluster'],
    ['server_name', 'causeway'],
    ['os', `${type()} ${release()} ${machine()}`],
    ['arch_bits', 64],
    ['process_id', process.pid],
    ['process_supervised', 'no'],
    ['run_id', runId(status)],
    ['tcp_port', door.port],
    ['server_time_usec', Date.now() * 1_000],
    ['uptime_in_seconds', Math.floor(upMs / 1_000)],
    ['uptime_in_days', Math.floor(upMs / 86_400_000)],
    ['hz', perSecond],
    ['configured_hz', perSecond],
    ['executable', process.execPath],
    ['config_file', ''],
    ['io_threads_active', 0],
    ['causeway_node', status.name],
    ['causeway_phase', status.phase],
    ['causeway_epoch', status.epoch],
  ];
}

function clients(door: Door): Fields {
  const subscribed = [...door.clients.values()].filter(({ channels }) => channels.size > 0);
  return [
    ['connected_clients', door.clients.size],
    ['cluster_connections', 0],
    ['maxclients', Math.min(door.connectionsMax, RESP_CONNECTIONS_MAX)],
    ['blocked_clients', 0],
    ['tracking_clients', door.tracking.clientCount],
    ['pubsub_clients', subscribed.length],
    ['clients_in_timeout_table', 0],
  ];
}

function memory(door: Door): Fields {
  const used = door.recentUse.memoryBytes();
  const { memoryPeakBytes: peak } = door.recentUse;
  const rss = process.memoryUsage.rss();
  return [
    ...withText('used_memory', used),
    ...withText('used_memory_rss', rss),
    ...withText('used_memory_peak', peak),
    ['used_memory_peak_perc', `${((100 * used) / peak).toFixed(2)}%`],
    ...withText('total_system_memory', totalmem()),
    ...withText('used_memory_lua', 0),
    ['number_of_cached_scripts', 0],
    ...withText('maxmemory', 0),
    ['maxmemory_policy', 'noeviction'],
    ['mem_fragmentation_ratio', (rss / used).toFixed(2)],
    ['mem_fragmentation_bytes', rss - used],
    ['mem_not_counted_for_evict', 0],
    ['mem_replication_backlog', 0],
    ['mem_clients_slaves', 0],
    ['mem_clients_normal', door.inputBytes + door.outputBytes],
    ['mem_aof_buffer', 0],
    ['mem_allocator', `v8-${process.versions.v8}`],
    ['active_defrag_running', 0],
    ['lazyfree_pending_objects', 0],
  ];
}

/** The value, and the same in human-readable form as in Redis. */
function withText(name: string, bytes: number): Fields {
  const units = ['', 'K', 'M', 'G', 'T'];
  let at = 0;
  let value = bytes;
  for (; value >= 1_024 && at < units.length - 1; at += 1) value /= 1_024;
  return [
    [name, bytes],
    [`${name}_human`, at === 0 ? `${bytes}B` : `${value.toFixed(2)}${units[at]}`],
  ];
}

function persistence(_door: Door, { phase, disk }: NodeStatus): Fields {
  return [
    // Clients wait for 0 here before they send anything.
    ['loading', phase === 'serving' || phase === 'learning' ? 0 : 1],
    ['async_loading', 0],
    ['rdb_changes_since_last_save', 0],
    ['rdb_bgsave_in_progress', 0],
    ['rdb_last_bgsave_status', 'ok'],
    ['rdb_last_bgsave_time_sec', -1],
    ['rdb_current_bgsave_time_sec', -1],
    ['aof_enabled', 1],
    ['aof_rewrite_in_progress', 0],
    ['aof_rewrite_scheduled', 0],
    ['aof_last_rewrite_time_sec', -1],
    ['aof_current_rewrite_time_sec', -1],
    ['aof_last_bgrewrite_status', 'ok'],
    ['aof_last_write_status', disk.state === 'low' ? 'err' : 'ok'],
    ['module_fork_in_progress', 0],
  ];
}

function stats(door: Door, { operations }: NodeStatus): Fields {
  const { counts, tracking, recentUse } = door;
  const rates = recentUse.perSecond();
  const kilobytes = (bytes: number): string => (bytes / 1_024).toFixed(2);
  return [
    ['total_connections_received', counts.connections],
    ['total_commands_processed', counts.commands],
    ['instantaneous_ops_per_sec', Math.round(rates.commands)],
    ['total_net_input_bytes', counts.inputBytes],
    ['total_net_output_bytes', counts.outputBytes],
    ['instantaneous_input_kbps', kilobytes(rates.inputBytes)],
    ['instantaneous_output_kbps', kilobytes(rates.outputBytes)],
    ['rejected_connections', counts.rejected],
    ['sync_full', 0],
    ['sync_partial_ok', 0],
    ['sync_partial_err', 0],
    ['evicted_keys', 0],
    ['evicted_clients', 0],
    ['keyspace_hits', counts.hits],
    ['keyspace_misses', counts.misses],
    ['pubsub_channels', [...door.clients.values()].some(({ channels }) => channels.size > 0) ? 1 : 0],
    ['pubsub_patterns', 0],
    ['latest_fork_usec', 0],
    ['total_forks', 0],
    ['migrate_cached_sockets', 0],
    ['tracking_total_keys', tracking.table.keyCount],
    ['tracking_total_items', tracking.table.itemCount],
    ['tracking_total_prefixes', tracking.prefixCount],
    ['unexpected_error_replies', 0],
    ['total_error_replies', door.commandCounts.errorCount()],
    ['causeway_reads', operations.reads],
    ['causeway_writes', operations.writes],
    ['causeway_failures', operations.failures],
  ];
}

function replication(_door: Door, status: NodeStatus): Fields {
  return [
    ['role', 'master'],
    ['connected_slaves', 0],
    ['master_failover_state', 'no-failover'],
    ['master_replid', runId(status)],
    ['master_replid2', '0'.repeat(40)],
    ['master_repl_offset', 0],
    ['second_repl_offset', -1],
    ['repl_backlog_active', 0],
    ['repl_backlog_size', 0],
    ['repl_backlog_first_byte_offset', 0],
    ['repl_backlog_histlen', 0],
  ];
}

function cpu(): Fields {
  const { user, system } = process.cpuUsage();
  return [
    ['used_cpu_sys', (system / 1e6).toFixed(6)],
    ['used_cpu_user', (user / 1e6).toFixed(6)],
    ['used_cpu_sys_children', '0.000000'],
    ['used_cpu_user_children', '0.000000'],
  ];
}

function commandStats({ commandCounts }: Door): Fields {
  return commandCounts.counts().map(([name, { calls, micros, rejected, failed }]) => {
    const usec = Math.round(micros);
    const each = calls === 0 ? 0 : micros / calls;
    return [
      `cmdstat_${name}`,
      `calls=${calls},usec=${usec},usec_per_call=${each.toFixed(2)},rejected_calls=${rejected},failed_calls=${failed}`,
    ] as const;
  });
}

function errorStats({ commandCounts }: Door): Fields {
  return commandCounts.errors().map(([word, count]) => [`errorstat_${word}`, `count=${count}`] as const);
}

function latencyStats({ latency }: Door): Fields {
  return latency.timedNames().map((name) => {
    const told = [50, 99, 99.9].map((share) => `p${share}=${latency.microsOf(name, share / 100).toFixed(3)}`);
    return [`latency_percentiles_usec_${name}`, told.join(',')] as const;
  });
}

/** The keys of which this node has a copy, not counting remembered deletions. */
function keyspace(_door: Door, { keysHeld, tombstones }: NodeStatus): Fields {
  const count = Math.max(0, keysHeld - tombstones.held);
  return count === 0 ? [] : [['db0', `keys=${count},expires=0,avg_ttl=0`]];
}

/** 40 characters as in Redis, different for each start of the process. */
function runId({ id, incarnation }: NodeStatus): string {
  return `${id.toString(16).padStart(8, '0')}${incarnation.toString(16).padStart(32, '0')}`.slice(0, 40);
}
