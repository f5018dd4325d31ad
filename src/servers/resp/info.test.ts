/** INFO as tools read it: it has every field that they look for, and its counts are right. */
import { afterEach, describe, expect, test } from 'vitest';
import { openRespDoor } from '../../../test/support/resp-door.ts';
import type { RespFixture, RespLine } from '../../../test/support/resp-door.ts';
import { RecentUse } from './recent-use.ts';

let open: RespFixture[] = [];
afterEach(async () => {
  for (const door of open) await door.stop();
  open = [];
});

async function doorWithLine(): Promise<{ door: RespFixture; line: RespLine }> {
  const door = await openRespDoor();
  open.push(door);
  return { door, line: await door.connect() };
}

/** Sends the commands on a connection of their own; resolves when all are answered. */
async function say(door: RespFixture, ...commands: readonly string[]): Promise<string> {
  const line = await door.connect();
  line.send(...commands, 'ECHO said');
  await line.until(() => line.unread.endsWith('said\r\n'));
  return line.unread;
}

/** The fields of a section, by name. */
async function fieldsOf(line: RespLine, ...sections: string[]): Promise<Map<string, string>> {
  const text = await line.ask(`INFO ${sections.join(' ')}`);
  const lines = text.split('\r\n').filter((each) => each.includes(':'));
  return new Map(
    lines.map((each) => [each.slice(0, each.indexOf(':')), each.slice(each.indexOf(':') + 1)] as const),
  );
}

/** By the tool that reads these fields. */
const READ_BY: Readonly<Record<string, string>> = {
  'redis-cli --stat':
    'used_memory connected_clients blocked_clients total_commands_processed total_connections_received rdb_bgsave_in_progress aof_rewrite_in_progress loading',
  'an exporter for Prometheus':
    'redis_version redis_build_id redis_mode os tcp_port run_id process_id uptime_in_seconds io_threads_active maxclients clients_in_timeout_table tracking_clients ' +
    'used_memory_rss used_memory_peak used_memory_lua total_system_memory maxmemory maxmemory_policy mem_fragmentation_ratio mem_fragmentation_bytes mem_clients_normal ' +
    'rdb_changes_since_last_save rdb_last_bgsave_status rdb_current_bgsave_time_sec aof_enabled aof_last_write_status aof_last_bgrewrite_status aof_rewrite_scheduled ' +
    'instantaneous_ops_per_sec instantaneous_input_kbps instantaneous_output_kbps total_net_input_bytes total_net_output_bytes rejected_connections evicted_keys ' +
    'keyspace_hits keyspace_misses pubsub_channels pubsub_patterns latest_fork_usec total_error_replies unexpected_error_replies sync_full ' +
    'role connected_slaves master_replid master_repl_offset repl_backlog_active repl_backlog_size second_repl_offset used_cpu_sys used_cpu_user used_cpu_sys_children cluster_enabled',
  'a desk with a window for each server':
    'uptime_in_days used_memory_human used_memory_peak_human maxmemory_human mem_allocator',
};

describe('INFO', () => {
  test.each(Object.entries(READ_BY))('%s finds what it reads', async (_tool, names) => {
    const { line } = await doorWithLine();
    const told = await fieldsOf(line);
    expect(names.split(' ').filter((name) => (told.get(name) ?? '') === '')).toEqual([]);
  });

  test('reads count as hits and misses, whichever command reads', async () => {
    const { door, line } = await doorWithLine();
    await say(door, 'SET k 1', 'GET k', 'GET none', 'MGET k none k', 'EXISTS k none', 'TTL k', 'STRLEN none');
    const told = await fieldsOf(line, 'stats');
    expect([told.get('keyspace_hits'), told.get('keyspace_misses')]).toEqual(['5', '4']);
  });

  test('a read that waits counts once, when it is answered', async () => {
    const { door, line } = await doorWithLine();
    door.api.waiting.add('k');
    await say(door, 'GET k', 'MGET k none');
    expect((await fieldsOf(line, 'stats')).get('keyspace_misses')).toBe('3');
  });

  test('commands are counted each by itself, with those that failed and those that were refused', async () => {
    const { door, line } = await doorWithLine();
    await say(door, 'SET k x', 'SET k y', 'INCR k', 'SET k', 'GET k', 'FOO', 'CONFIG GET save');
    const told = await fieldsOf(line, 'commandstats', 'errorstats', 'stats');
    const countsOf = (name: string): string =>
      told.get(`cmdstat_${name}`)!.replace(/usec=\d+,usec_per_call=\d+\.\d\d,/, '');
    expect(countsOf('set')).toBe('calls=2,rejected_calls=1,failed_calls=0');
    expect(countsOf('incr')).toBe('calls=1,rejected_calls=0,failed_calls=1');
    expect(countsOf('get')).toBe('calls=1,rejected_calls=0,failed_calls=0');
    expect(countsOf('config|get')).toBe('calls=1,rejected_calls=0,failed_calls=0');
    expect(told.has('cmdstat_foo')).toBe(false);
    expect(told.get('errorstat_ERR')).toBe('count=3');
    expect(told.get('total_error_replies')).toBe('3');
  });

  test('a read of many from memory takes time by those that were timed', async () => {
    const { line } = await doorWithLine();
    await line.ask('SET k x');
    for (let times = 0; times < 128; times += 1) await line.ask('GET k');
    const told = (await fieldsOf(line, 'commandstats')).get('cmdstat_get')!;
    expect(Number(/usec=(\d+)/.exec(told)![1])).toBeGreaterThan(0);
  });

  test('what is long is told where it is asked for', async () => {
    const { door, line } = await doorWithLine();
    await say(door, 'MSET k 1 l 2');
    const titles = async (...sections: string[]): Promise<string[]> =>
      [...(await line.ask(`INFO ${sections.join(' ')}`)).matchAll(/# (\w+)\r\n/g)].map(([, title]) => title!);
    const usual =
      'Server Clients Memory Persistence Stats Replication CPU Modules Errorstats Cluster Keyspace'.split(
        ' ',
      );
    expect(await titles()).toEqual(usual);
    expect(await titles('default')).toEqual(usual);
    const all = usual.flatMap((title) =>
      title === 'Errorstats' ? ['Commandstats', 'Errorstats', 'Latencystats'] : [title],
    );
    expect(await titles('all')).toEqual(all);
    expect(await titles('everything')).toEqual(all);
    expect(await titles('keyspace', 'commandstats')).toEqual(['Commandstats', 'Keyspace']);
    expect((await fieldsOf(line, 'latencystats')).get('latency_percentiles_usec_mset')).toMatch(
      /^p50=\d+\.\d{3},p99=\d+\.\d{3},p99\.9=\d+\.\d{3}$/,
    );
  });

  test('CONFIG RESETSTAT begins all of it anew', async () => {
    const { door, line } = await doorWithLine();
    await say(door, 'SET k x', 'GET k', 'INCR k');
    await say(door, 'CONFIG RESETSTAT');
    const told = await fieldsOf(line, 'commandstats', 'errorstats', 'stats');
    expect(told.has('cmdstat_set') || told.has('errorstat_ERR')).toBe(false);
    expect(told.get('keyspace_hits')).toBe('0');
  });

  test('deletions that are remembered are no keys', async () => {
    const { door, line } = await doorWithLine();
    await say(door, 'MSET a 1 b 2 c 3');
    door.api.statusChanges = {
      tombstones: { held: 1, forgotten: 0, rowsWaiting: 0, rowsRemoved: 0, debrisRemoved: 0 },
    };
    expect((await fieldsOf(line, 'keyspace')).get('db0')).toBe('keys=2,expires=0,avg_ttl=0');
    door.api.statusChanges = { keysHeld: 4, tombstones: { ...door.api.status().tombstones, held: 4 } };
    expect(await line.ask('INFO keyspace')).not.toContain('db0');
  });
});

test('rates are those of the last seconds, and none is below zero', () => {
  const use = new RecentUse();
  const counts = (commands: number): { commands: number; inputBytes: number; outputBytes: number } => ({
    commands,
    inputBytes: commands * 10,
    outputBytes: 0,
  });
  expect(use.perSecond().commands).toBe(0);
  for (let second = 0; second < 20; second += 1) use.look(second * 1_000, counts(second * 100));
  expect(use.perSecond()).toEqual({ commands: 100, inputBytes: 1_000, outputBytes: 0 });
  use.look(20_000, counts(0));
  expect(use.perSecond().commands).toBe(0);
  const now = use.memoryBytes();
  expect(use.memoryPeakBytes).toBeGreaterThanOrEqual(now);
});

test('a setting named twice in CONFIG SET: refused, and nothing is set', async () => {
  const { door } = await doorWithLine();
  expect(await say(door, 'CONFIG SET timeout 7 TIMEOUT 9', 'CONFIG GET timeout')).toBe(
    "-ERR CONFIG SET failed (possibly related to argument 'timeout') - duplicate parameter\r\n" +
      '*2\r\n$7\r\ntimeout\r\n$1\r\n0\r\n$4\r\nsaid\r\n',
  );
});
