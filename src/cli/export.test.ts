/**
 * `causeway export` against a real server: its output is what `import` accepts, and it never claims more than was
 * exported.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { keptIo } from '../../test/support/command-io.ts';
import { eventually, openDoors } from '../../test/support/grpc-call.ts';
import type { DoorFixture } from '../../test/support/grpc-call.ts';
import { connect } from '../client/index.ts';
import { runCommand } from './main.ts';

let doors: DoorFixture;
let folder: string;

beforeEach(async () => {
  doors = await openDoors();
  folder = mkdtempSync(join(tmpdir(), 'causeway-export-'));
});
afterEach(async () => {
  await doors.stop();
  rmSync(folder, { recursive: true });
});

function begin(words: string[], address = doors.address) {
  const { io, ran } = keptIo();
  return { ran, end: runCommand([...words, '--nodes', address], io) };
}

async function run(...words: string[]) {
  const { ran, end } = begin(words);
  await end;
  return ran;
}

async function fill(count: number): Promise<void> {
  const client = connect({ nodes: [doors.address] });
  for (let index = 0; index < count; index += 1) {
    const contentType = index % 2 === 0 ? 'text/plain' : undefined;
    await client.set(`key:${100 + index}`, `value ${index}`, { contentType });
  }
  client.close();
}

describe('export', () => {
  test('texts, bytes, times to live: printed as import takes them, and nothing that is gone', async () => {
    const client = connect({ nodes: [doors.address] });
    await client.set('text', 'one\n"two"');
    await client.set('bytes', Uint8Array.of(0xff, 0));
    await client.set('short', 'x', { ttlMs: 60_000, contentType: 'text/plain' });
    await client.set('gone', 'x');
    await client.delete('gone');
    client.close();
    const { code, out, err } = await run('export');
    expect([code, err]).toEqual([0, '3 records exported\n']);
    const rows = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(rows).toEqual([
      { key: 'bytes', valueBase64: '/wA=' },
      { key: 'short', value: 'x', contentType: 'text/plain', ttlMs: expect.any(Number) as number },
      { key: 'text', value: 'one\n"two"' },
    ]);
    expect(rows[1]!['ttlMs']).toBeGreaterThan(50_000);
  });

  test('records with a prefix: those alone, and those alone are counted', async () => {
    await fill(25);
    doors.api.scanPageMax = 7;
    const { code, out, err } = await run('export', '--prefix', 'key:11');
    expect([code, err]).toEqual([0, '10 records exported\n']);
    expect(out.match(/"key":"key:11\d"/g)).toHaveLength(10);
  });

  test('what was exported is imported: the same records stand', async () => {
    await fill(25);
    doors.api.scanPageMax = 7;
    const file = join(folder, 'rows');
    const { out } = await run('export');
    writeFileSync(file, out);
    doors.api.records.clear();
    expect((await run('import', file)).code).toBe(0);
    expect((await run('export')).out).toBe(out);
  });

  test('--after: only what follows the place', async () => {
    await fill(5);
    const { code, out } = await run('export', '--after', 'key:102');
    expect([code, out.match(/key:\d+/g)]).toEqual([0, ['key:103', 'key:104']]);
  });

  test('a node that fails for a while: the export goes on by itself, each record once', async () => {
    await fill(20);
    doors.api.scanPageMax = 3;
    const scan = doors.api.scan.bind(doors.api);
    const asked: (string | null)[] = [];
    doors.api.scan = (after, ...rest) => {
      asked.push(after);
      // Fails in the middle of the pages, and again when it is retried.
      doors.api.failWith = [3, 4].includes(asked.length) ? 'not_ready' : undefined;
      scan(after, ...rest);
    };
    const ran = await run('export', '--checkpoint', join(folder, 'place'));
    // The failed page was requested three times, every other page only once.
    expect(asked.slice(0, 6)).toEqual([null, 'key:102', 'key:105', 'key:105', 'key:105', 'key:108']);
    expect(new Set(asked).size).toBe(asked.length - 2);
    expect(ran.code).toBe(0);
    expect(ran.out.match(/key:\d+/g)).toEqual(Array.from({ length: 20 }, (_, index) => `key:${100 + index}`));
    expect(existsSync(join(folder, 'place'))).toBe(false);
  });

  test('a node that fails from the first page on: it is told what is waited for, and done when it is well', async () => {
    await fill(2);
    doors.api.failWith = 'not_ready';
    const { ran, end } = begin(['export', '--timeout', '300']);
    await eventually(() => ran.err.includes('not_ready: '), 'word of what is waited for', 15_000);
    doors.api.failWith = undefined;
    await end;
    expect([ran.code, ran.out.split('\n').length - 1]).toEqual([0, 2]);
  });

  test('a checkpoint: the export goes on from its place, and an earlier lack is not forgotten', async () => {
    await fill(4);
    const place = join(folder, 'place');
    writeFileSync(place, JSON.stringify({ after: 'key:101', incomplete: true }));
    const { code, out, err } = await run('export', '--checkpoint', place);
    expect([code, out.match(/key:\d+/g)]).toEqual([1, ['key:102', 'key:103']]);
    expect(err).toContain('not all');
    writeFileSync(place, 'half');
    expect((await run('export', '--checkpoint', place)).code).toBe(2);
    expect(readFileSync(place, 'utf8')).toBe('half');
  });

  test('a cluster that is still loading: all it has is printed, and exit 1 says that it may not be all', async () => {
    await fill(3);
    doors.api.incomplete = true;
    const { code, out, err } = await run('export');
    expect([code, out.split('\n').length - 1]).toEqual([1, 3]);
    expect(err).toContain('still loading');
  });

  test('a place that is none: exit 3 at once, with the reason', async () => {
    doors.api.failWith = 'invalid_argument';
    const { code, err } = await run('export', '--after', "it's nowhere");
    expect(code).toBe(3);
    expect(err).toContain('invalid_argument');
    expect(err).toMatch(/\ngo on with --after 'it'\\''s nowhere', its output appended\n$/);
  });

  test('no page at all: no place is named to go on from', async () => {
    doors.api.failWith = 'invalid_argument';
    const { code, err } = await run('export');
    expect(code).toBe(3);
    expect(err).toMatch(/^0 records; stopped: invalid_argument: .*\n$/);
    expect(err).not.toContain('--after');
  });

  test('an output that takes no more: one line says why, and the checkpoint is not ahead of it', async () => {
    await fill(9);
    doors.api.scanPageMax = 3;
    const place = join(folder, 'place');
    const { ran, io } = keptIo();
    let pages = 0;
    const stdout = new Writable({
      write: (_page, _encoding, done) => {
        pages += 1;
        const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
        done(pages > 1 ? full : null);
      },
    });
    await runCommand(['export', '--checkpoint', place, '--nodes', doors.address], { ...io, stdout });
    expect(ran.code).toBe(3);
    expect(ran.err).toBe(
      '3 records; stopped: standard output cannot be written: no space is left on its disk (ENOSPC)\n' +
        'the same command goes on there, its output appended\n',
    );
    expect(JSON.parse(readFileSync(place, 'utf8'))).toEqual({ after: 'key:102', incomplete: false });
  });

  test('the output is on disk before the checkpoint says what is in it', async () => {
    await fill(9);
    doors.api.scanPageMax = 3;
    const place = join(folder, 'place');
    const { io } = keptIo();
    const events: string[] = [];
    const stdout = Object.assign(
      new Writable({ write: (_page, _encoding, done) => (events.push('written'), done()) }),
      { sync: () => events.push(existsSync(place) ? 'synced' : 'synced first') },
    );
    await runCommand(['export', '--checkpoint', place, '--nodes', doors.address], { ...io, stdout });
    expect(events.slice(0, 2)).toEqual(['written', 'synced first']);
    expect(events.at(-1)).toBe('synced');
  });

  test('a checkpoint that cannot be kept: one line says why', async () => {
    await fill(9);
    doors.api.scanPageMax = 3;
    const { code, err } = await run('export', '--checkpoint', join(folder, 'no', 'place'));
    expect(code).toBe(3);
    expect(err).toMatch(/^3 records; stopped: .*place cannot be written: there is no such file \(ENOENT\)\n/);
  });
});
