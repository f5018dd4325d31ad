/** What each line of the log contains, and what must never appear in it. */
import { expect, test } from 'vitest';
import { openLog } from './log.ts';

function logOf(level: 'debug' | 'info' | 'warn' | 'error', keys?: 'clear') {
  const lines: Record<string, unknown>[] = [];
  const write = (line: string): void => void lines.push(JSON.parse(line) as Record<string, unknown>);
  return { log: openLog({ level, node: 'a', destination: { write }, ...(keys && { keys }) }), lines };
}

test('an event: one JSON object with its level, time, node, name and fields', () => {
  const { log, lines } = logOf('info');
  log.event('warn', 'postgres.down', { reason: 'connection lost', rows: 3 });
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatchObject({ level: 'warn', node: 'a', event: 'postgres.down', rows: 3 });
  expect(Number.isNaN(Date.parse(String(lines[0]!['time'])))).toBe(false);
});

test('an event below the level: nothing', () => {
  const { log, lines } = logOf('warn');
  log.event('info', 'node.phase', { phase: 'serving' });
  log.event('debug', 'node.phase');
  expect(lines).toEqual([]);
});

test('another level while it runs: from then on, both ways', () => {
  const { log, lines } = logOf('info');
  log.event('debug', 'node.phase', { at: 1 });
  log.setLevel('debug');
  log.event('debug', 'node.phase', { at: 2 });
  log.setLevel('error');
  log.event('warn', 'postgres.down', { at: 3 });
  expect(lines.map(({ at }) => at)).toEqual([2]);
  expect(log.level()).toBe('error');
});

test('keys, values and secrets, by field or within an address: hidden', () => {
  const { log, lines } = logOf('info');
  const reason = 'no route to postgres://me:hunter2@db/cache_db';
  log.event('error', 'node.phase', { key: 'user:1', value: 'v', dbPassword: 'hunter2', reason });
  expect(JSON.stringify(lines)).not.toMatch(/user:1|hunter2/);
  expect(lines[0]).toMatchObject({
    value: '[hidden]',
    reason: 'no route to postgres://[hidden]@db/cache_db',
  });
});

test('a password with an @ in it, or where a long text is cut: hidden as a whole', () => {
  const { log, lines } = logOf('info');
  log.event('error', 'node.phase', { reason: 'postgres://me:hun@ter2@db/x, postgres://me:hunter3@db/y' });
  log.event('error', 'node.phase', { reason: `${'x'.repeat(1_980)} postgres://me:hunter4@db/cache_db` });
  expect(lines[0]).toMatchObject({ reason: 'postgres://[hidden]@db/x, postgres://[hidden]@db/y' });
  expect(JSON.stringify(lines)).not.toMatch(/hun|ter2/);
});

test('a key: as the start of its hash, the same on every node; as it is only where that is asked for', () => {
  const hashed = logOf('info');
  hashed.log.event('warn', 'operation.slow', { key: 'user:1', keys: ['user:1'] });
  expect(hashed.lines[0]).toMatchObject({ keyHash: 'abc3a47b8ad18b85', keys: '[hidden]' });
  expect(hashed.lines[0]).not.toHaveProperty('key');
  const clear = logOf('info', 'clear');
  clear.log.event('warn', 'operation.slow', { key: 'user:1' });
  expect(clear.lines[0]).toMatchObject({ key: 'user:1' });
});

test('events are counted by name, those below the level too', () => {
  const { log, lines } = logOf('error');
  log.event('info', 'node.phase', { phase: 'serving' });
  log.event('error', 'node.phase');
  expect(log.events.get('node.phase')).toBe(2);
  expect(lines).toHaveLength(1);
});

test('counts: added up by name, and readable', () => {
  const { log } = logOf('info');
  log.count('legacy.calls');
  log.count('legacy.calls', 2);
  expect([...log.counters]).toEqual([['legacy.calls', 3]]);
});
