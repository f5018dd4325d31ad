/**
 * The contract of the storage port, as tests that every implementation runs. A factory returns a disk; `open` begins a
 * life on it, and `crash` ends the life at once, like a kill.
 */
import { expect, test } from 'vitest';
import type { Storage, StorageEntry, StorageError } from '../../src/ports/storage.ts';

export interface StorageUnderTest {
  open(): Promise<Storage>;
  close(storage: Storage): Promise<void>;
  /** Lets time pass until the promise is settled; a simulated world has no other way to continue. */
  settle<T>(promise: Promise<T>): Promise<T>;
}

const MIB = 1024 * 1024;

export function describeStorage(name: string, make: () => Promise<StorageUnderTest>): void {
  const story = (title: string, run: (disk: StorageUnderTest, storage: Storage) => Promise<void>): void => {
    test(`${name}: ${title}`, async () => {
      const disk = await make();
      await run(disk, await disk.open());
    });
  };
  const reopen = async (disk: StorageUnderTest, storage: Storage): Promise<Storage> => {
    await disk.close(storage);
    return disk.open();
  };
  readingAndWriting(story, reopen);
  scanning(story);
}

type Story = (title: string, run: (disk: StorageUnderTest, storage: Storage) => Promise<void>) => void;

function readingAndWriting(
  story: Story,
  reopen: (disk: StorageUnderTest, storage: Storage) => Promise<Storage>,
): void {
  story('a key never written: undefined, also after reopening', async (disk, storage) => {
    expect(storage.get('nothing')).toBe(undefined);
    expect((await reopen(disk, storage)).get('nothing')).toBe(undefined);
  });

  story('a write: is not seen before it is done, is seen then and after reopening', async (disk, storage) => {
    let told = false;
    const written = write(storage, { a: 'one', b: 'two' }).then(() => (told = true));
    expect(told).toBe(false);
    await disk.settle(written);
    expect(text(storage.get('a'))).toBe('one');
    const later = await reopen(disk, storage);
    expect([text(later.get('a')), text(later.get('b'))]).toEqual(['one', 'two']);
  });

  story('done: never comes from within the call', async (disk, storage) => {
    let within = true;
    const seen: boolean[] = [];
    const written = new Promise<void>((resolve) => {
      storage.write(['a'], [new Uint8Array(1)], () => {
        seen.push(within);
        resolve();
      });
    });
    const scanned = new Promise<void>((resolve) => {
      storage.scan('', 'z', 10, MIB, () => {
        seen.push(within);
        resolve();
      });
    });
    within = false;
    await disk.settle(Promise.all([written, scanned]));
    expect(seen).toEqual([false, false]);
  });

  story('null: removes the key and nothing else, and may remove what is not there', async (disk, storage) => {
    await disk.settle(write(storage, { a: '1', b: '2' }));
    await disk.settle(write(storage, { a: null, missing: null }));
    expect([storage.get('a'), text(storage.get('b'))]).toEqual([undefined, '2']);
    const later = await reopen(disk, storage);
    expect([later.get('a'), text(later.get('b'))]).toEqual([undefined, '2']);
  });

  story('an empty value: is held, and is not absence', async (disk, storage) => {
    await disk.settle(write(storage, { empty: '' }));
    expect(storage.get('empty')?.length).toBe(0);
    expect((await reopen(disk, storage)).get('empty')?.length).toBe(0);
  });

  story('a value of 1 MiB and every byte there is: comes back as it was', async (disk, storage) => {
    const value = Uint8Array.from({ length: MIB }, (_, index) => (index * 31 + (index >> 8)) & 0xff);
    await disk.settle(writeBytes(storage, ['big'], [value]));
    expect(Buffer.compare(storage.get('big')!, value)).toBe(0);
    expect(Buffer.compare((await reopen(disk, storage)).get('big')!, value)).toBe(0);
  });

  story('a buffer used again after done: what was stored stays', async (disk, storage) => {
    const buffer = Buffer.from('before');
    await disk.settle(writeBytes(storage, ['a'], [buffer]));
    buffer.write('after!');
    expect(text(storage.get('a'))).toBe('before');
  });

  story(
    'keys of many lengths that end in wide characters: none is taken for its own beginning',
    async (disk, storage) => {
      const keys = Array.from({ length: 400 }, (_, length) => 'k'.repeat(length + 1));
      await disk.settle(
        writeBytes(
          storage,
          keys,
          keys.map((key) => Buffer.from(key)),
        ),
      );
      // In steps of two, from two start lengths, because a buffer that grows whenever it is exactly full may otherwise
      // never be too short.
      for (const step of [1, 0]) {
        for (let index = step; index < keys.length; index += 2) {
          expect(storage.get(`${keys[index]!}😀`)).toBe(undefined);
          expect(storage.get(`${keys[index]!}€`)).toBe(undefined);
          expect(text(storage.get(keys[index]!))).toBe(keys[index]);
        }
      }
      const longest = '€'.repeat(2000);
      await disk.settle(write(storage, { [longest]: 'long' }));
      expect(text(storage.get(longest))).toBe('long');
      expect(storage.get(`${longest}€`)).toBe(undefined);
    },
  );

  story('close while a write is in flight: the write is told first, and is there', async (disk, storage) => {
    const told: string[] = [];
    const written = write(storage, { a: '1' }).then(() => told.push('written'));
    const closed = disk.close(storage).then(() => told.push('closed'));
    await disk.settle(Promise.all([written, closed]));
    expect(told).toEqual(['written', 'closed']);
    expect(text((await disk.open()).get('a'))).toBe('1');
  });

  story('a scan after close: is told later that the store is closed', async (disk, storage) => {
    await disk.settle(write(storage, { a: '1' }));
    const told: string[] = [];
    const closed = disk.close(storage);
    const scanned = new Promise<void>((resolve) => {
      storage.scan('', 'z', 10, MIB, (error, entries) => {
        told.push(`${error?.kind}, ${entries.length} entries`);
        resolve();
      });
    });
    expect(told).toEqual([]);
    await disk.settle(Promise.all([closed, scanned]));
    expect(told).toEqual(['closed, 0 entries']);
  });
}

function scanning(story: Story): void {
  const fill = async (disk: StorageUnderTest, storage: Storage, keys: readonly string[]): Promise<void> => {
    await disk.settle(
      writeBytes(
        storage,
        keys,
        keys.map((key) => Buffer.from(key)),
      ),
    );
  };

  story('a scan: from is within, to is not, and both bounds may be missing keys', async (disk, storage) => {
    await fill(disk, storage, ['e', 'a', 'd', 'b', 'c']);
    expect(keysOf(await disk.settle(scan(storage, 'b', 'd')))).toEqual(['b', 'c']);
    expect(keysOf(await disk.settle(scan(storage, 'aa', 'dd')))).toEqual(['b', 'c', 'd']);
    expect(keysOf(await disk.settle(scan(storage, '', 'zz')))).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(keysOf(await disk.settle(scan(storage, 'x', 'z')))).toEqual([]);
    expect(keysOf(await disk.settle(scan(storage, 'd', 'b')))).toEqual([]);
  });

  story('a scan: is in the order of UTF-8 bytes, also beyond U+FFFF', async (disk, storage) => {
    const keys = ['😀', '\uffff', '\ue000', '\ud7ff', 'a', 'é', 'B', '😀a', '\uffffa', '\u0000', 'a\u0000'];
    await fill(disk, storage, keys);
    const sorted = [...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    const entries = await disk.settle(scan(storage, '', '\u{10ffff}'));
    expect(keysOf(entries)).toEqual(sorted);
    expect(entries.map((entry) => text(entry.value))).toEqual(sorted);
    expect(keysOf(await disk.settle(scan(storage, '\uffff', '😀')))).toEqual(['\uffff', '\uffffa']);
  });

  story(
    'a scan: stops at the count, goes on from there, and sees what changed since',
    async (disk, storage) => {
      const keys = Array.from({ length: 50 }, (_, index) => `k${String(index).padStart(2, '0')}`);
      await fill(disk, storage, keys);
      expect(keysOf(await disk.settle(scan(storage, 'k', 'l', 20)))).toEqual(keys.slice(0, 20));
      await disk.settle(write(storage, { k20: null, k205: 'new' }));
      const rest = keysOf(await disk.settle(scan(storage, 'k19\u0000', 'l', 100)));
      expect(rest).toEqual(['k205', ...keys.slice(21)]);
    },
  );

  story('a scan: stops at about the bytes, and gives one entry where there is one', async (disk, storage) => {
    const keys = Array.from({ length: 20 }, (_, index) => `k${String(index).padStart(2, '0')}`);
    await disk.settle(
      writeBytes(
        storage,
        keys,
        keys.map(() => new Uint8Array(1000)),
      ),
    );
    const some = await disk.settle(scan(storage, 'k', 'l', 100, 5000));
    expect(some.length).toBeGreaterThanOrEqual(4);
    expect(some.length).toBeLessThanOrEqual(7);
    expect(keysOf(await disk.settle(scan(storage, 'k', 'l', 100, 1)))).toEqual(['k00']);
  });

  story('a scan and a write begun together: the batch is seen whole or not at all', async (disk, storage) => {
    const keys = Array.from({ length: 30 }, (_, index) => `k${index}`);
    for (let round = 0; round < 10; round++) {
      const written = writeBytes(
        storage,
        keys,
        keys.map(() => Buffer.from(String(round))),
      );
      const scanned = scan(storage, '', 'z');
      const [entries] = await disk.settle(Promise.all([scanned, written]));
      expect(new Set(entries.map((entry) => text(entry.value))).size).toBeLessThanOrEqual(1);
    }
  });
}

function write(storage: Storage, entries: Record<string, string | null>): Promise<void> {
  const values = Object.values(entries).map((value) => (value === null ? null : Buffer.from(value)));
  return writeBytes(storage, Object.keys(entries), values);
}

export function writeBytes(
  storage: Storage,
  keys: readonly string[],
  values: readonly (Uint8Array | null)[],
): Promise<void> {
  return new Promise((resolve, reject) => {
    storage.write(keys, values, (error: StorageError | null) => {
      if (error === null) resolve();
      else reject(new Error(`${error.kind}: ${error.message}`));
    });
  });
}

export function scan(
  storage: Storage,
  from: string,
  to: string,
  entryCountMax = 1000,
  byteCountMax = MIB,
): Promise<readonly StorageEntry[]> {
  return new Promise((resolve, reject) => {
    storage.scan(from, to, entryCountMax, byteCountMax, (error, entries) => {
      if (error === null) resolve(entries);
      else reject(new Error(`${error.kind}: ${error.message}`));
    });
  });
}

function keysOf(entries: readonly StorageEntry[]): string[] {
  return entries.map((entry) => entry.key);
}

function text(bytes: Uint8Array | undefined): string | undefined {
  return bytes === undefined ? undefined : Buffer.from(bytes).toString();
}
