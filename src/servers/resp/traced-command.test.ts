/** The spans of Redis commands, in front of a node that keeps its values in a map. */
import { afterEach, expect, test } from 'vitest';
import { TraceBook } from '../../../test/support/recording-tracing.ts';
import { openRespDoor } from '../../../test/support/resp-door.ts';
import type { RespFixture, RespLine } from '../../../test/support/resp-door.ts';
import type { TraceContext } from '../../core/observability/trace-context.ts';

let door: RespFixture;
afterEach(() => door.stop());

async function open(): Promise<{ book: TraceBook; line: RespLine; asked: (TraceContext | undefined)[] }> {
  const book = new TraceBook(() => 0);
  const tracing = book.of('a');
  door = await openRespDoor({ tracing });
  // The trace context of each call that reached the node.
  const asked: (TraceContext | undefined)[] = [];
  const { api } = door;
  const { write, get } = { write: api.write.bind(api), get: api.get.bind(api) };
  api.write = (...call) => {
    asked.push(tracing.active);
    write(...call);
  };
  api.get = (...call) => {
    asked.push(tracing.active);
    get(...call);
  };
  const { scan, operate } = { scan: api.scan.bind(api), operate: api.operate.bind(api) };
  api.scan = (...call) => {
    asked.push(tracing.active);
    scan(...call);
  };
  api.operate = (...call) => {
    asked.push(tracing.active);
    operate(...call);
  };
  return { book, line: await door.connect(), asked };
}

test('a command: a root span by its name, under which the node is asked, ended when it is answered', async () => {
  const { book, line, asked } = await open();
  door.api.holding = true;
  line.send('SET a 1');
  await line.until(() => door.api.heldCount === 1);
  expect(book.spans).toMatchObject([{ what: 'redis', name: 'SET', parentId: null, endedAt: null }]);
  expect(book.spans[0]!.attributes).toEqual({ 'network.protocol.name': 'resp', 'db.operation.name': 'SET' });
  door.api.release();
  expect(await line.hears('+OK\r\n')).toBe('+OK\r\n');
  expect(book.open).toEqual([]);
  expect(asked).toEqual([book.spans[0]!.context]);
});

test('commands one behind the other: a span each, and what waits for its key is asked under its own', async () => {
  const { book, line, asked } = await open();
  line.send('SET a 1', 'GET a', 'INCR n', 'MGET a n');
  await line.hears('+OK\r\n$1\r\n1\r\n:1\r\n*2\r\n$1\r\n1\r\n$1\r\n1\r\n');
  expect(book.spans.map(({ name }) => name)).toEqual(['SET', 'GET', 'INCR', 'MGET']);
  expect(book.open).toEqual([]);
  expect(asked.map((trace) => book.spans.find(({ context }) => context === trace)?.name)).toEqual([
    'SET',
    'INCR',
    'GET',
  ]);
});

test('a command with more keys than are begun at once, and a transaction: all of it under one span', async () => {
  const { book, line, asked } = await open();
  const keys = Array.from({ length: 300 }, (_, at) => `k${at}`);
  line.send(`DEL ${keys.join(' ')}`);
  await line.hears(':0\r\n');
  expect(asked).toHaveLength(keys.length);
  expect(new Set(asked)).toEqual(new Set([book.spans[0]!.context]));
  door.api.waiting.add('w');
  line.send('MULTI', 'INCR w', 'EXEC');
  await line.hears('+OK\r\n+QUEUED\r\n*1\r\n:1\r\n');
  const exec = book.spans.find(({ name }) => name === 'EXEC')!;
  expect(asked.slice(keys.length).length).toBeGreaterThan(0);
  expect(new Set(asked.slice(keys.length))).toEqual(new Set([exec.context]));
  expect(book.open).toEqual([]);
});

test('a command that fails, at once or later, also behind others: its span says with which word', async () => {
  const { book, line } = await open();
  line.send('SET a x', 'GET a b', 'INCR a', 'SET b 1', 'GET b', 'MULTI', 'INCR a', 'EXEC');
  await line.until(() => book.spans.length >= 6 && book.open.length === 0);
  const told = (name: string): unknown =>
    book.spans
      .filter((span) => span.name === name)
      .map(({ error, attributes }) => [error, attributes['db.response.status_code']]);
  const none = [undefined, undefined];
  expect(told('SET')).toEqual([none, none]);
  expect(told('GET')).toEqual([none]);
  expect(told('INCR')).toEqual([['ERR', 'ERR']]);
  expect(told('EXEC')).toEqual([none]);
  door.api.failWith = 'not_ready';
  line.send('SET a 1');
  await line.until(() => book.spans.at(-1)!.name === 'SET' && book.open.length === 0);
  expect(told('SET')).toEqual([none, none, ['CLUSTERDOWN', 'CLUSTERDOWN']]);
});

test('commands that read page after page, and DBSIZE: all that they ask of the node is under their span', async () => {
  const { book, line, asked } = await open();
  for (let at = 0; at < 30; at += 1) door.api.put(`k${at}`, 'v');
  door.api.scanPageMax = 7;
  line.send('KEYS none*');
  await line.hears('*0\r\n');
  line.send('DBSIZE');
  await line.hears(':30\r\n');
  expect(book.spans.map(({ name }) => name)).toEqual(['KEYS', 'DBSIZE']);
  const [keys, size] = book.spans.map(({ context }) => context);
  expect(asked).toEqual([keys, keys, keys, keys, keys, size]);
  expect(book.open).toEqual([]);
});

test('FLUSHALL and FLUSHDB: under their span each page is asked for; the deletions, of which there may be millions, have none', async () => {
  const { book, line, asked } = await open();
  for (const command of ['FLUSHALL', 'FLUSHDB']) {
    for (let at = 0; at < 20; at += 1) door.api.put(`k${at}`, 'v');
    door.api.scanPageMax = 7;
    line.send(command);
    await line.hears('+OK\r\n');
    const span = book.spans.at(-1)!;
    expect(span).toMatchObject({ name: command, error: undefined, endedAt: 0 });
    const ofSpan = asked.splice(0);
    expect(ofSpan.filter((trace) => trace === span.context).length).toBeGreaterThanOrEqual(3);
    expect(ofSpan.filter((trace) => trace === undefined)).toHaveLength(20);
  }
  expect(book.open).toEqual([]);
});

test('what asks nothing of the keys: no span', async () => {
  const { book, line } = await open();
  line.send('PING', 'CLIENT ID', 'INFO server');
  await line.hears('+PONG\r\n');
  expect(book.spans).toEqual([]);
});
