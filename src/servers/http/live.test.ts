/**
 * The live feed over a real port: who receives what, and what it costs when nobody listens or a listener does not read.
 */
import { connect } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PageStage } from '../../../test/support/page-stage.ts';
import { LIVE_LISTENERS_MAX } from '../../core/clients/http-limits.ts';
import { SLOT_COUNT } from '../../core/limits.ts';
import type { LiveRing, LiveSnapshot } from './live-shape.ts';
import { mountLive } from './live.ts';
import { httpRoutes, openHttpServer } from './server.ts';
import type { HttpServer } from './server.ts';

const EVERY_MS = 10;
let stage: PageStage;
let server: HttpServer;
const readers: Reader[] = [];
beforeEach(async () => {
  stage = new PageStage(3);
  const mounts = [mountLive(stage.api, stage, 'shop', EVERY_MS)];
  server = await openHttpServer(httpRoutes(stage.api, mounts), '127.0.0.1', 0);
});
afterEach(async () => {
  for (const reader of readers.splice(0)) reader.end();
  await server.close();
});

interface Event {
  readonly id: string;
  readonly snapshot: LiveSnapshot;
}

/** A page, as far as the feed is concerned. */
class Reader {
  private readonly abort = new AbortController();
  private readonly body: ReadableStreamDefaultReader<string>;
  private text = '';

  private constructor(answer: Response) {
    this.body = answer.body!.pipeThrough(new TextDecoderStream(), { signal: this.abort.signal }).getReader();
  }

  static async open(after = ''): Promise<Reader> {
    const headers = after === '' ? {} : { 'last-event-id': after };
    const answer = await fetch(url('/v1/live'), { headers });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toContain('text/event-stream');
    const reader = new Reader(answer);
    readers.push(reader);
    return reader;
  }

  async next(): Promise<Event> {
    for (;;) {
      const match = /^id: (\S+)\nevent: snapshot\ndata: (.*)\n\n/m.exec(this.text);
      if (match !== null) {
        this.text = this.text.slice(match.index + match[0].length);
        return { id: match[1]!, snapshot: JSON.parse(match[2]!) as LiveSnapshot };
      }
      const { value, done } = await this.body.read();
      if (done) throw new Error('the feed has ended');
      this.text += value;
    }
  }

  end(): void {
    this.body.cancel().catch(() => undefined);
  }
}

function url(path: string): string {
  return `http://127.0.0.1:${server.port}${path}`;
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}

test('a page: it is told at once of all nodes, and with the next look what they do a second', async () => {
  const reader = await Reader.open();
  const { snapshot } = await reader.next();
  expect(snapshot.asked).toBe('node-1');
  expect(snapshot.cluster).toMatchObject({ name: 'shop', epoch: 1, memberCount: 3, slotsLost: 0 });
  expect(snapshot.nodes.map(({ name, told }) => [name, told?.phase, told?.rates])).toEqual([
    ['node-1', 'serving', null],
    ['node-2', 'serving', null],
    ['node-3', 'serving', null],
  ]);
  const { snapshot: next } = await reader.next();
  for (const { told } of next.nodes) expect(told!.rates!.reads).toBeGreaterThan(0);
  // The value that the fake members report at the second look.
  expect(next.nodes[1]!.told!.writeMs!.p99).toBeCloseTo(10.916, 3);
});

test('members that do not answer, answer nonsense, or are somebody else: told as such, and the others as they are', async () => {
  stage.silent.add('node-2');
  stage.changes.set('node-3', { name: 'node-9' });
  const { snapshot } = await (await Reader.open()).next();
  expect(snapshot.nodes.map(({ told }) => told === null)).toEqual([false, true, true]);
  expect(snapshot.nodes[1]).toMatchObject({ name: 'node-2', alive: true, linkUp: false });
});

test('a member that began anew: its rates begin anew, and are not negative', async () => {
  const reader = await Reader.open();
  await reader.next();
  stage.changes.set('node-2', {
    incarnation: 8,
    operations: { reads: 1, writes: 1, failures: 0, staleReads: 0 },
  });
  for (;;) {
    const { snapshot } = await reader.next();
    const { rates } = snapshot.nodes[1]!.told!;
    if (rates === null) break;
    expect(rates.reads).toBeGreaterThanOrEqual(0);
  }
});

test('two pages are told the same looks, and without any nobody is asked', async () => {
  const [one, other] = [await Reader.open(), await Reader.open()];
  const first = await other.next();
  let mine = await one.next();
  while (mine.id !== first.id) mine = await one.next();
  expect(mine.snapshot).toEqual(first.snapshot);
  one.end();
  other.end();
  await until(() => stage.closed === 1);
  const { asked } = stage;
  await new Promise((resolve) => setTimeout(resolve, 5 * EVERY_MS));
  expect(stage.asked).toBe(asked);
  await (await Reader.open()).next();
  expect(stage.asked).toBeGreaterThan(asked);
});

test('a page that comes back: told what it missed, once; one of another process: all that is kept', async () => {
  const reader = await Reader.open();
  const first = await reader.next();
  const second = await reader.next();
  await reader.next();
  const back = await Reader.open(first.id);
  expect(await back.next()).toEqual(second);
  const stranger = await Reader.open('0123456789ab.2');
  expect((await stranger.next()).id).toBe(first.id);
});

test('more pages than a node tells: refused, and told when one has gone', async () => {
  for (let count = 0; count < LIVE_LISTENERS_MAX; count += 1) await Reader.open();
  const refused = await fetch(url('/v1/live'));
  expect(refused.status).toBe(503);
  expect(refused.headers.get('retry-after')).toBe('10');
  readers[0]!.end();
  let status = 503;
  while (status === 503) {
    const answer = await fetch(url('/v1/live'));
    ({ status } = answer);
    await answer.body!.cancel();
  }
  expect(status).toBe(200);
});

test('pages that wait behind another feed of their connection, which closes: none is kept', async () => {
  const socket = connect(server.port, '127.0.0.1', () =>
    socket.write('GET /v1/live HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(LIVE_LISTENERS_MAX)),
  );
  await new Promise((resolve) => socket.once('data', resolve));
  socket.destroy();
  await until(() => server.connections.count === 0);
  expect(stage.closed).toBe(1);
  for (let count = 0; count < LIVE_LISTENERS_MAX; count += 1) await Reader.open();
});

test('a HEAD of the feed: answered without a listener, which nobody would ever end', async () => {
  for (let at = 0; at < LIVE_LISTENERS_MAX; at += 1)
    expect((await fetch(url('/v1/live'), { method: 'HEAD' })).status).toBe(200);
  await (await Reader.open()).next();
});

test('a page that does not read: let go when so much waits for it, and nothing is kept for it', async () => {
  stage.common = { record: { state: 'down', reason: 'x'.repeat(100_000) } };
  const socket = connect(server.port, '127.0.0.1', () =>
    socket.write('GET /v1/live HTTP/1.1\r\nhost: x\r\n\r\n'),
  );
  socket.on('error', () => undefined);
  socket.pause();
  await until(() => stage.closed === 1);
  socket.destroy();
});

test('a node that is in no cluster: it tells of itself, and has no ring', async () => {
  stage.api.isAlone = true;
  stage.api.statusChanges = {
    phase: 'founding',
    leaseHeld: false,
    record: { state: 'down', reason: 'refused' },
  };
  const { snapshot } = await (await Reader.open()).next();
  expect(snapshot.cluster).toBeNull();
  expect(snapshot.nodes).toHaveLength(1);
  expect(snapshot.nodes[0]!.told!.reasons.join()).toContain('PostgreSQL is awaited');
  expect((await fetch(url('/v1/live/ring'))).status).toBe(503);
});

test('the ring: every slot with its row, packed', async () => {
  stage.kill('node-3');
  const answer = await fetch(url('/v1/live/ring'));
  expect(answer.headers.get('content-encoding')).toBe('gzip');
  const ring = (await answer.json()) as LiveRing;
  expect(ring.members.map(({ alive }) => alive)).toEqual([true, true, false]);
  const slots = Buffer.from(ring.slotRow, 'base64');
  expect(slots.length).toBe(2 * SLOT_COUNT);
  for (let slot = 0; slot < SLOT_COUNT; slot += 1)
    expect(ring.rows[slots.readUInt16LE(2 * slot)]!.holders).toHaveLength(3);
});

test('the door closes while pages listen: their feeds end, and the looking does', async () => {
  const reader = await Reader.open();
  await reader.next();
  await server.close();
  await until(() => stage.closed === 1);
  await expect(
    (async () => {
      for (;;) await reader.next();
    })(),
  ).rejects.toThrow();
});
