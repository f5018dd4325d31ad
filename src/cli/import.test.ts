/**
 * `causeway import` against a real server: rows from a file or from standard input, and the progress that it records.
 */
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { keptIo } from '../../test/support/command-io.ts';
import type { Ran } from '../../test/support/command-io.ts';
import { openDoors } from '../../test/support/grpc-call.ts';
import type { DoorFixture } from '../../test/support/grpc-call.ts';
import { emptyCheckpoint } from './import-checkpoint.ts';
import { runCommand } from './main.ts';

let doors: DoorFixture;
let folder: string;

beforeEach(async () => {
  doors = await openDoors();
  folder = mkdtempSync(join(tmpdir(), 'causeway-import-'));
});
afterEach(async () => {
  await doors.stop();
  rmSync(folder, { recursive: true });
});

async function run(words: string[], typed?: string): Promise<Ran> {
  const { ran, io } = keptIo(typed);
  await runCommand([...words, '--nodes', doors.address], io);
  return ran;
}

describe('import', () => {
  const file = () => join(folder, 'rows.ndjson');
  const checkpoint = () => `${file()}.checkpoint`;
  const rows = (count: number) =>
    Array.from({ length: count }, (_, at) => `${JSON.stringify({ key: `k${at}`, value: `v${at}` })}\n`).join(
      '',
    );

  test('rows of text, bytes and times to live: all in, exit 0, no checkpoint left', async () => {
    const raw = JSON.stringify({ key: 'raw', valueBase64: '/wA=', ttlMs: 60_000 });
    writeFileSync(file(), `${rows(5000)}\n${raw}`);
    const { code, out } = await run(['import', file(), '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ imported: 5001, refused: 0, complete: true });
    expect(doors.api.records.get('raw')!.expiresAt).toBeGreaterThan(0);
    expect(Buffer.from(doors.api.records.get('k4999')!.value).toString()).toBe('v4999');
    expect(existsSync(checkpoint())).toBe(false);
  });

  test('-: rows of standard input, all in, and no checkpoint anywhere', async () => {
    const before = readdirSync('.');
    const { code, out, err } = await run(['import', '-', '--json'], rows(3000));
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ imported: 3000, refused: 0, lines: 3000, complete: true });
    expect(err).toBe('3000 rows imported, 0 refused\n');
    expect(Buffer.from(doors.api.records.get('k2999')!.value).toString()).toBe('v2999');
    expect(readdirSync('.')).toEqual(before);
  });

  test('-, with a line that is no row: named, the others are in, and what to do; a checkpoint is refused', async () => {
    const { code, err } = await run(['import', '-'], `nonsense\n${rows(1)}`);
    expect(code).toBe(1);
    expect(err).toBe(
      'line 1 is not JSON\n1 row imported, 1 refused\nput the refused lines right, and import them anew\n',
    );
    for (const option of [['--restart'], ['--checkpoint', checkpoint()]])
      expect(await run(['import', '-', ...option], rows(1))).toMatchObject({ code: 2, out: '' });
  });

  test('a file that is not there, a directory, a checkpoint in no directory: one line, and the right code', async () => {
    const none = await run(['import', join(folder, 'none')]);
    expect(none).toEqual({
      ...{ code: 2, out: '' },
      err: `error: ${join(folder, 'none')} cannot be read: there is no such file (ENOENT)\n`,
    });
    const directory = await run(['import', folder]);
    expect(directory.code).toBe(2);
    expect(directory.err).toMatch(
      /^error: .* is a directory: name a file of rows, or - for standard input\n$/,
    );
    writeFileSync(file(), rows(1));
    const unkept = await run(['import', file(), '--checkpoint', join(folder, 'no', 'place')]);
    expect(unkept.code).toBe(3);
    expect(unkept.err).toMatch(/stopped: .*place\.new: there is no such file \(ENOENT\)\n/);
  });

  test('a key that comes twice: the later row stands', async () => {
    writeFileSync(file(), `${rows(1)}{"key":"k0","value":"later"}\n`);
    expect((await run(['import', file()])).code).toBe(0);
    expect(Buffer.from(doors.api.records.get('k0')!.value).toString()).toBe('later');
  });

  test('lines that are no rows: named by number, the others are in, exit 1', async () => {
    const wrong = [
      'nonsense',
      '[]',
      '{"value":"x"}',
      '{"key":"a"}',
      '{"key":"","value":"x"}',
      '{"key":"a","valueBase64":"?"}',
    ];
    writeFileSync(file(), `${wrong.join('\n')}\n${rows(3)}`);
    const { code, err } = await run(['import', file()]);
    expect(code).toBe(1);
    for (let line = 1; line <= wrong.length; line++) expect(err).toContain(`line ${line} `);
    expect(err).toContain('3 rows imported, 6 refused');
    expect((await run(['import', file()])).code).toBe(1);
  });

  test('an import that was stopped: goes on after its checkpoint, and counts all rows', async () => {
    writeFileSync(file(), rows(5000));
    doors.api.failWith = 'invalid_argument';
    const put = doors.api.write.bind(doors.api);
    let written = 0;
    doors.api.write = (operation, timeoutMs, done) => {
      doors.api.failWith = ++written > 3000 ? 'invalid_argument' : undefined;
      put(operation, timeoutMs, done);
    };
    const stopped = await run(['import', file()]);
    expect(stopped.code).toBe(3);
    expect(JSON.parse(readFileSync(checkpoint(), 'utf8'))).toMatchObject({ imported: 2000, lines: 2000 });
    doors.api.write = put;
    doors.api.failWith = undefined;
    doors.api.calls = [];
    const resumed = await run(['import', file(), '--json']);
    expect(resumed.code).toBe(0);
    expect(resumed.err).toContain('going on after line 2000');
    expect(JSON.parse(resumed.out)).toMatchObject({ imported: 5000 });
    expect(doors.api.calls).toHaveLength(3000);
  });

  test('a node that fails for a while, indefinitely: the rows are written again until they are in', async () => {
    writeFileSync(file(), rows(100));
    doors.api.failWith = 'outcome_unknown';
    setTimeout(() => {
      doors.api.failWith = undefined;
    }, 300);
    expect((await run(['import', file()])).code).toBe(0);
    expect(doors.api.records.size).toBe(100);
  });

  const textOf = (key: string) => Buffer.from(doors.api.records.get(key)!.value).toString();

  test('--operation-ids, an answer is lost, and a client writes before the repeat: what the client wrote stands', async () => {
    writeFileSync(file(), rows(2));
    doors.api.loseAnswers = 1;
    doors.api.beforeWrite = () => {
      doors.api.beforeWrite = null;
      setTimeout(() => doors.api.put('k0', 'newer'), 50);
    };
    expect((await run(['import', file(), '--operation-ids'])).code).toBe(0);
    expect(doors.api.calls.map(({ key }) => key)).toEqual(['k0', 'k1', 'k0']);
    expect([textOf('k0'), textOf('k1')]).toEqual(['newer', 'v1']);
  });

  test('--operation-ids, resumed: within their time the rows are repeated under the ids of before, then under others', async () => {
    writeFileSync(file(), rows(2));
    const stop = async (): Promise<void> => {
      doors.api.loseAnswers = 1;
      doors.api.refuses = ({ key }) => key === 'k1';
      expect((await run(['import', file(), '--operation-ids'])).code).toBe(3);
      doors.api.put('k0', 'newer');
      doors.api.refuses = () => false;
    };
    await stop();
    expect((await run(['import', file(), '--operation-ids'])).code).toBe(0);
    expect([textOf('k0'), textOf('k1')]).toEqual(['newer', 'v1']);
    expect(existsSync(checkpoint())).toBe(false);
    await stop();
    const held = JSON.parse(readFileSync(checkpoint(), 'utf8')) as { underWay: object };
    writeFileSync(checkpoint(), JSON.stringify({ ...held, underWay: { ...held.underWay, madeAtMs: 1 } }));
    expect((await run(['import', file(), '--operation-ids'])).code).toBe(0);
    expect(textOf('k0')).toBe('v0');
  });

  const notes = (imported: number, left: number): unknown =>
    expect.objectContaining({ imported, left, refused: 0 });
  const outcome = async (...options: string[]) =>
    JSON.parse((await run(['import', file(), '--json', ...options])).out) as object;

  test('--if-absent: what is there stays, whatever its age, and is counted; what is in already counts as imported', async () => {
    writeFileSync(file(), `${rows(4)}{"key":"k3","value":"second row"}\n`);
    await run(['set', 'k0', 'newer']);
    await run(['set', 'k1', 'v1']);
    const { code, err } = await run(['import', file(), '--if-absent']);
    expect([code, err]).toEqual([0, '4 rows imported, 1 left as they were, 0 refused\n']);
    expect(await outcome('--if-absent')).toEqual(notes(4, 1));
    expect(['k0', 'k1', 'k2', 'k3'].map(textOf)).toEqual(['newer', 'v1', 'v2', 'v3']);
  });

  test('--if-absent, an answer is lost, and a client writes before the repeat: what the client wrote stands', async () => {
    writeFileSync(file(), rows(2));
    doors.api.loseAnswers = 1;
    doors.api.beforeWrite = () => {
      doors.api.beforeWrite = null;
      setTimeout(() => doors.api.put('k0', 'newer'), 50);
    };
    expect(await outcome('--if-absent')).toEqual(notes(1, 1));
    expect([textOf('k0'), textOf('k1')]).toEqual(['newer', 'v1']);
  });

  test('--keep-newer-than a time: older values are replaced, those written since stay, also between look and write', async () => {
    writeFileSync(file(), rows(3));
    doors.api.put('k0', 'old');
    doors.api.put('k2', 'old');
    await new Promise((resolve) => setTimeout(resolve, 20));
    const time = new Date().toISOString();
    await run(['set', 'k1', 'newer']);
    const write = doors.api.write.bind(doors.api);
    doors.api.write = (operation, timeoutMs, done) => {
      const isReplacing = operation.key === 'k2' && doors.api.calls.some(({ key }) => key === 'k2');
      if (isReplacing && textOf('k2') === 'old') doors.api.put('k2', 'meanwhile');
      write(operation, timeoutMs, done);
    };
    expect(await outcome('--keep-newer-than', time)).toEqual(notes(1, 2));
    expect(['k0', 'k1', 'k2'].map(textOf)).toEqual(['v0', 'newer', 'meanwhile']);
  });

  test('--keep-newer-than start, resumed: what clients have written since the import first began stays', async () => {
    writeFileSync(file(), rows(3));
    doors.api.put('k2', 'old');
    await new Promise((resolve) => setTimeout(resolve, 20));
    doors.api.refuses = ({ key }) => key === 'k1';
    expect((await run(['import', file(), '--keep-newer-than', 'start'])).code).toBe(3);
    expect(textOf('k0')).toBe('v0');
    await run(['set', 'k0', 'newer']);
    doors.api.refuses = () => false;
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await outcome('--keep-newer-than', 'start')).toEqual(notes(2, 1));
    expect(['k0', 'k1', 'k2'].map(textOf)).toEqual(['newer', 'v1', 'v2']);
  });

  test('two ways at once, and what is no time: wrong usage', async () => {
    writeFileSync(file(), rows(1));
    for (const options of [
      ['--if-absent', '--operation-ids'],
      ['--if-absent', '--keep-newer-than', 'start'],
      ['--keep-newer-than', '2026-01-31'],
      ['--keep-newer-than', '2026-13-31T12:00:00Z'],
    ])
      expect(await run(['import', file(), ...options])).toMatchObject({ code: 2, out: '' });
    expect(doors.api.calls).toEqual([]);
  });

  test('a checkpoint of another state of the file, or damaged: refused until told to restart', async () => {
    writeFileSync(file(), `x\n${rows(3)}`);
    await run(['import', file()]);
    appendFileSync(file(), rows(4));
    const changed = await run(['import', file()]);
    expect(changed.code).toBe(2);
    expect(changed.err).toContain('--restart');
    writeFileSync(file(), rows(3));
    utimesSync(file(), 1000, 1000);
    expect((await run(['import', file()])).code).toBe(2);
    writeFileSync(checkpoint(), JSON.stringify({ ...emptyCheckpoint(), underWay: { operationId: 'x' } }));
    expect((await run(['import', file()])).err).toContain('is damaged');
    writeFileSync(checkpoint(), '{"size":');
    expect((await run(['import', file()])).code).toBe(2);
    expect((await run(['import', file(), '--restart'])).code).toBe(0);
    expect((await run(['import', join(folder, 'none')])).code).toBe(2);
  });
});
