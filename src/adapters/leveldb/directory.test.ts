/** The data directory on a real disk: created once, recognised again, and never taken from another owner. */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PROTOCOL_MAX } from '../../core/membership/protocol-versions.ts';
import {
  BROKEN_STORES_MAX,
  DIRECTORY_FORMAT,
  DIRECTORY_FORMAT_FIRST,
  brokenStores,
  openDirectory,
  setAside,
  type DataDirectory,
} from './directory.ts';

const identity = { clusterName: 'shop', nodeName: 'a' };
let root = '';
let opened: DataDirectory[] = [];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'causeway-directory-'));
  opened = [];
});

afterEach(async () => {
  await Promise.all(opened.map((directory) => directory.release()));
  rmSync(root, { recursive: true, force: true });
});

async function take(path: string): Promise<DataDirectory> {
  const result = await openDirectory(path, identity);
  if (result.kind !== 'open') throw new Error(result.message);
  opened.push(result.directory);
  return result.directory;
}

async function leave(directory: DataDirectory): Promise<void> {
  opened.splice(opened.indexOf(directory), 1);
  await directory.release();
}

async function refusal(path: string, asked = identity): Promise<string> {
  const result = await openDirectory(path, asked);
  return result.kind === 'refused' ? result.message : 'was not refused';
}

test('a directory that does not exist: is made, is new once, and is known again', async () => {
  const path = join(root, 'deep', 'data');
  const first = await take(path);
  expect(first.isNew).toBe(true);
  await leave(first);
  expect((await take(path)).isNew).toBe(false);
  expect(JSON.parse(readFileSync(join(path, 'identity.json'), 'utf8'))).toEqual({
    format: DIRECTORY_FORMAT_FIRST,
    ...identity,
  });
});

test.skipIf(!existsSync('/proc/self'))(
  'a place in which nothing can ever be made: refused with its name, and not tried for ever',
  async () => {
    expect(await refusal('/proc/causeway/data')).toBe(
      'the data directory /proc/causeway/data cannot be used: no directory can be made in /proc',
    );
  },
);

test.skipIf(process.getuid?.() === 0)(
  'a directory that this user may not write: refused, naming the permissions and not the lock',
  async () => {
    chmodSync(root, 0o555);
    expect(await refusal(root)).toMatch(/cannot be written .*: put its permissions right, or name another/);
    chmodSync(root, 0o755);
  },
);

test('a file in its place: said in words, and not as the system does', async () => {
  const path = join(root, 'file');
  writeFileSync(path, '');
  expect(await refusal(path)).toBe(
    `the data directory ${path} cannot be used (there is something else of that name (EEXIST)): a file is in its place, or name another directory`,
  );
});

test('a directory in use: is refused until it is released', async () => {
  const first = await take(root);
  expect(await refusal(root)).toContain('another process uses the data directory');
  await leave(first);
  await take(root);
});

test('a lock that is damaged: refused with what to remove, and not as if another process held it', async () => {
  const lock = join(root, 'lock');
  mkdirSync(lock);
  writeFileSync(join(lock, 'CURRENT'), 'nonsense');
  expect(await refusal(root)).toMatch(/cannot be locked .*: if no other process uses it, remove .*lock$/);
  rmSync(lock, { recursive: true });
  await take(root);
});

test('a directory of another cluster, of another node, of a newer format, or damaged: one line says which', async () => {
  await leave(await take(root));
  const file = join(root, 'identity.json');
  expect(await refusal(root, { clusterName: 'bank', nodeName: 'a' })).toContain(
    "belongs to the cluster 'shop'",
  );
  expect(await refusal(root, { clusterName: 'shop', nodeName: 'b' })).toContain("belongs to the node 'a'");
  writeFileSync(file, JSON.stringify({ format: DIRECTORY_FORMAT + 1, ...identity }));
  expect(await refusal(root)).toContain('newer Causeway');
  for (const content of [
    '',
    '{"format":',
    'null',
    '7',
    '{"format":1}',
    '{"format":1,"clusterName":"shop"}',
  ]) {
    writeFileSync(file, content);
    expect(await refusal(root)).toMatch(/identity\.json is damaged[^\n]*$/);
    // A refused open holds no lock and has changed nothing.
    expect(readFileSync(file, 'utf8')).toBe(content);
  }
});

test('an identity that cannot be read: refused with the reason, and no lock is held on', async () => {
  const file = join(root, 'identity.json');
  mkdirSync(file);
  expect(await refusal(root)).toMatch(/cannot be used \(.*EISDIR/);
  rmSync(file, { recursive: true });
  expect((await take(root)).isNew).toBe(true);
});

test('a directory that a later version of the protocol was put in force in: the earlier program does not open it', async () => {
  const taken = await openDirectory(root, identity);
  const { directory } = taken as Extract<typeof taken, { kind: 'open' }>;
  const file = join(root, 'identity.json');
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ format: 1, ...identity });
  directory.raise(PROTOCOL_MAX);
  directory.raise(PROTOCOL_MAX - 1);
  // What an older program checks: it opens format 1 and nothing later.
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ format: 5, ...identity });
  await directory.release();
  await leave(await take(root));
});

test("a directory with somebody else's files, or with a store that names nobody: is not taken", async () => {
  writeFileSync(join(root, 'thesis.doc'), 'precious');
  expect(await refusal(root)).toContain('thesis.doc');
  rmSync(join(root, 'thesis.doc'));
  mkdirSync(join(root, 'store'));
  expect(await refusal(root)).toContain('store');
});

test('a start that was interrupted while it wrote the identity: the directory is still new', async () => {
  writeFileSync(join(root, 'identity.json.new'), '{"for');
  writeFileSync(join(root, 'identity.json.tmp'), '{"for');
  mkdirSync(join(root, 'lost+found'));
  expect((await take(root)).isNew).toBe(true);
});

test('a path that is a file: is refused with its name', async () => {
  writeFileSync(join(root, 'file'), '');
  expect(await refusal(join(root, 'file', 'data'))).toContain(join(root, 'file', 'data'));
});

test('broken stores: set aside under the time, none is ever removed, and one too many is refused with what to do', async () => {
  const directory = await take(root);
  const moved: string[] = [];
  for (let n = 1; n <= BROKEN_STORES_MAX; n++) {
    mkdirSync(directory.storePath);
    writeFileSync(join(directory.storePath, 'CURRENT'), String(n));
    const result = await setAside(directory, 'it is damaged');
    if (result.kind !== 'moved') throw new Error(result.message);
    expect(result.path).toMatch(/store\.broken-\d{8}T\d{6}Z(-\d+)?$/);
    expect(existsSync(directory.storePath)).toBe(false);
    expect(readFileSync(join(result.path, 'CURRENT'), 'utf8')).toBe(String(n));
    moved.push(result.path);
  }
  expect((await brokenStores(directory)).sort()).toEqual(moved.sort());
  mkdirSync(directory.storePath);
  const refused = await setAside(directory, 'it is damaged');
  expect(refused).toMatchObject({ kind: 'refused' });
  expect(refused).toHaveProperty(
    'message',
    expect.stringMatching(/^it is damaged; and 3 damaged stores .*remove those/),
  );
  expect(existsSync(directory.storePath)).toBe(true);
  expect(await brokenStores(directory)).toHaveLength(BROKEN_STORES_MAX);
});
