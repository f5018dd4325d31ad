/**
 * The store at startup, on a real disk: a damaged one is set aside, and its blank replacement is never mistaken for an
 * untouched store.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadConfig } from '../config/config.ts';
import { NodeStore } from './node-store.ts';
import type { Storage } from '../ports/storage.ts';

let root = '';
let opened: NodeStore[] = [];
let told: { name: string; fields: Readonly<Record<string, unknown>> }[] = [];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'causeway-store-'));
  opened = [];
  told = [];
});

afterEach(async () => {
  await Promise.all(opened.map((store) => store.close()));
  rmSync(root, { recursive: true, force: true });
});

async function open(): Promise<NodeStore> {
  const flags = {
    'cluster.members': 'a=127.0.0.1:7001,b=127.0.0.1:7002',
    'node.name': 'a',
    'node.dataDir': root,
    postgres: 'none',
  };
  const telemetry = {
    event: (_level: string, name: string, fields = {}) => void told.push({ name, fields }),
    count: () => undefined,
  };
  const store = await NodeStore.open(loadConfig({ flags }).config, telemetry);
  opened.push(store);
  return store;
}

async function close(store: NodeStore): Promise<void> {
  opened.splice(opened.indexOf(store), 1);
  await store.close();
}

function write(storage: Storage, key: string, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    storage.write([key], [bytes], (error) => (error === null ? resolve() : reject(new Error(error.message))));
  });
}

/** A store with something in it, closed. */
async function filled(): Promise<void> {
  const store = await open();
  for (let n = 0; n < 20; n++) await write(store.storage, `k${n}`, new Uint8Array(10_000).fill(n));
  await close(store);
}

function damageFile(pattern: RegExp, change: (bytes: Buffer) => Buffer): void {
  const folder = join(root, 'store');
  const name = readdirSync(folder).find((each) => pattern.test(each))!;
  writeFileSync(join(folder, name), change(readFileSync(join(folder, name))));
}

const identityOf = (store: NodeStore): unknown => {
  const bytes = store.storage.get('midentity');
  return bytes === undefined ? undefined : JSON.parse(Buffer.from(bytes).toString().slice(8));
};

test('a good store: opened as it is, with nothing beside it and nothing in doubt', async () => {
  await filled();
  const store = await open();
  expect(store.storage.get('k7')?.[0]).toBe(7);
  expect(store.setAside).toEqual({ paths: [], reason: '' });
  expect(identityOf(store)).toBeUndefined();
});

test.each([
  { what: 'CURRENT', pattern: /^CURRENT$/, change: () => Buffer.from('nonsense\n') },
  {
    what: 'the manifest',
    pattern: /^MANIFEST/,
    change: (bytes: Buffer) => bytes.fill(0xff, 0, Math.min(40, bytes.length)),
  },
  {
    what: 'the middle of the log',
    pattern: /\.log$/,
    change: (bytes: Buffer) =>
      Buffer.concat([bytes.subarray(0, 40_000), Buffer.from([1]), bytes.subarray(40_001)]),
  },
])(
  '$what is damaged: the store is set aside whole, and the blank one is in doubt',
  async ({ pattern, change }) => {
    await filled();
    damageFile(pattern, change);
    const store = await open();
    const [path] = store.setAside.paths;
    expect(store.setAside.reason).toMatch(/damaged|lost synced writes/);
    expect(readdirSync(path!)).toContain('CURRENT');
    expect(told.map(({ name }) => name)).toEqual(['store.set_aside']);
    expect(told[0]!.fields).toEqual({ reason: store.setAside.reason, path });
    expect(store.storage.get('k7')).toBeUndefined();
    expect(identityOf(store)).toMatchObject({ clusterId: '?', id: 0 });
    await close(store);
    // The next process reports the same about the store, but has not set it aside itself.
    const next = await open();
    expect(next.setAside).toEqual({ paths: [path], reason: '' });
    expect(identityOf(next)).toMatchObject({ clusterId: '?' });
  },
);

test('the blocks of a table are damaged: opened, so that whoever reads them learns that they are', async () => {
  const store = await open();
  for (const key of ['a', 'k7', 'z']) await write(store.storage, key, new Uint8Array(10_000).fill(7));
  await close(store);
  // Opening turns the log into a table.
  await close(await open());
  damageFile(/\.ldb$/, (bytes) => {
    // With the filter of keys, and without the index and the footer behind it, without which nothing is opened.
    for (let at = 0; at < bytes.length - 120; at += 10) bytes[at]! ^= 0xff;
    return bytes;
  });
  const { storage } = await open();
  expect(storage.get('k7')).toHaveLength(0);
  const error = await new Promise((resolve) => storage.scan('k', 'l', 100, 1_000_000, resolve));
  expect(error).toMatchObject({ kind: 'damaged' });
});

test('the process ended after it had set the store aside: the blank one that the next makes is in doubt, too', async () => {
  await filled();
  damageFile(/^CURRENT$/, () => Buffer.from('nonsense\n'));
  await close(await open());
  rmSync(join(root, 'store'), { recursive: true });
  expect(identityOf(await open())).toMatchObject({ clusterId: '?' });
});

test('what stands in it is damaged: replaced on demand, as often as that may be, and then refused with what to do', async () => {
  const store = await open();
  for (let n = 1; n <= 3; n++) {
    await write(store.storage, 'k', new Uint8Array([n]));
    await store.replace('an entry is damaged');
    expect(store.setAside.paths).toHaveLength(n);
    expect(store.storage.get('k')).toBeUndefined();
  }
  await write(store.storage, 'k', new Uint8Array([4]));
  await expect(store.replace('an entry is damaged')).rejects.toThrow(
    /^an entry is damaged; and 3 damaged stores/,
  );
  await close(store);
  const after = await open();
  expect(after.storage.get('k')).toEqual(Buffer.from([4]));
});

test('damaged once more than may be set aside: refused with what to do, as often as it is started, and nothing is locked', async () => {
  await filled();
  const names = [1, 2, 3].map((n) => join(root, `store.broken-2026010${n}T000000Z`));
  for (const name of names) mkdirSync(name);
  damageFile(/^CURRENT$/, () => Buffer.from('nonsense\n'));
  for (let start = 0; start < 2; start += 1) await expect(open()).rejects.toThrow(/3 damaged stores/);
  for (const name of names) rmSync(name, { recursive: true });
  const store = await open();
  expect(store.setAside.paths).toHaveLength(1);
});
