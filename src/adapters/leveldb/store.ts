/**
 * The storage port on LevelDB. Writes are synced batches; reads are synchronous. Weak points of LevelDB are covered
 * here: it skips damage in the middle of a log silently, and takes a store without the CURRENT file for a new one and
 * empties it (so both are checked before opening); a failed write leaves the end of the log in an unknown state (so no
 * write follows one); and the binding truncates keys in `getSync` (so its key buffer is enlarged beforehand).
 */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { assert } from '../../base/assert.ts';
import { KEY_BYTES_MAX } from '../../core/limits.ts';
import type { Storage, StorageEntry, StorageError } from '../../ports/storage.ts';
import { logLostWrites } from './log-check.ts';

export interface LevelStoreOptions {
  /**
   * A read met damage in the engine's files. The caller of `get` gets empty bytes, which decode to no record, so it
   * treats the record as damaged and never as absent. (PROTOCOL R10)
   */
  readonly onDamaged?: (message: string) => void;
  /** Bytes. The engine's cache of uncompressed blocks. */
  readonly blockCacheBytes?: number;
  /** Bytes of log after which a table is written. Recovery reads at most about this much. */
  readonly writeBufferBytes?: number;
}

export type LevelOpenResult =
  | { readonly kind: 'open'; readonly storage: Storage }
  /** Another process uses the directory. */
  | { readonly kind: 'locked'; readonly message: string }
  /** The store has lost writes or cannot be read at all: set it aside and rebuild from the peers. */
  | { readonly kind: 'damaged'; readonly message: string }
  /** A full disk, missing permissions and the like: nothing is known to be lost. */
  | { readonly kind: 'failed'; readonly message: string };

const BLOCK_CACHE_BYTES_DEFAULT = 32 * 1024 * 1024;
const WRITE_BUFFER_BYTES_DEFAULT = 8 * 1024 * 1024;
/** UTF-16 units, of at most three bytes of UTF-8 each. Longer keys are read through a slower path. */
const FAST_KEY_UNITS_MAX = KEY_BYTES_MAX + 64;
/** The file that names the list of the store's files. */
const HEAD = 'CURRENT';
const RECORDS_IN = /\.(?:ldb|sst|log)$/;
const DAMAGED_BYTES: Uint8Array = new Uint8Array(0);

type Level = ClassicLevel<string, Uint8Array>;

export async function openLevelStore(
  directory: string,
  options: LevelStoreOptions = {},
): Promise<LevelOpenResult> {
  let level: Level | null = null;
  let damagedLog: string | null = null;
  try {
    const names = await namesIn(directory);
    if (await isBeheaded(directory, names)) {
      return { kind: 'damaged', message: `the store in ${directory} has lost its file ${HEAD}` };
    }
    damagedLog = await findDamagedLog(directory, names);
    // Not earlier: the binding starts to open the store, and thereby replaces its logs, as soon as it is constructed.
    level = new ClassicLevel(directory, {
      keyEncoding: 'utf8',
      valueEncoding: 'buffer',
      cacheSize: options.blockCacheBytes ?? BLOCK_CACHE_BYTES_DEFAULT,
      writeBufferSize: options.writeBufferBytes ?? WRITE_BUFFER_BYTES_DEFAULT,
    });
    await level.open();
  } catch (error) {
    const result = classifyOpenError(directory, error);
    if (level === null || result.kind === 'locked' || damagedLog === null) return result;
  }
  if (damagedLog !== null) {
    // Opened nevertheless, because only the lock shows that this was not a live store read while it was being written.
    await level.close();
    return {
      kind: 'damaged',
      message: `the log ${damagedLog} of the store in ${directory} has lost synced writes`,
    };
  }
  // The binding writes the key into a buffer that grows only when it is exactly full. If the last character has several
  // bytes and does not fit, it is cut off and another key is read. One long key makes the buffer large for good.
  try {
    level.getSync('k'.repeat(FAST_KEY_UNITS_MAX * 3));
  } catch {
    // The block in which this key would be is damaged: whoever reads there learns it.
  }
  return { kind: 'open', storage: new LevelStorage(level, options.onDamaged ?? ignoreDamage) };
}

async function namesIn(directory: string): Promise<string[]> {
  return readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
}

/** CURRENT is written before the first log and only ever replaced, so a store that has synced data always has it. */
async function isBeheaded(directory: string, names: readonly string[]): Promise<boolean> {
  if (names.includes(HEAD)) return false;
  const holding = names.filter((name) => RECORDS_IN.test(name));
  const sizes = await Promise.all(holding.map(async (name) => (await stat(join(directory, name))).size));
  return sizes.some((size) => size > 0) && !(await namesIn(directory)).includes(HEAD);
}

async function findDamagedLog(directory: string, names: readonly string[]): Promise<string | null> {
  for (const name of names) {
    if (name.endsWith('.log') && logLostWrites(await readFile(join(directory, name)))) return name;
  }
  return null;
}

function classifyOpenError(directory: string, error: unknown): LevelOpenResult {
  const cause = causeOf(error);
  if (cause.code === 'LEVEL_LOCKED') {
    return { kind: 'locked', message: `another process uses the store in ${directory}` };
  }
  // LevelDB reports a missing file by a message that is not an I/O error; here it counts as damage.
  const damaged = cause.code === 'LEVEL_CORRUPTION' || /No such file|does not exist/.test(cause.message);
  return damaged
    ? { kind: 'damaged', message: `the store in ${directory} is damaged: ${cause.message}` }
    : { kind: 'failed', message: `the store in ${directory} cannot be opened: ${cause.message}` };
}

function causeOf(error: unknown): { readonly code: string; readonly message: string } {
  let inner = error as { code?: unknown; message?: unknown; cause?: unknown };
  if (inner.cause instanceof Error) inner = inner.cause;
  const { code, message } = inner;
  return {
    code: typeof code === 'string' ? code : '',
    message: typeof message === 'string' ? message : String(error),
  };
}

/** LevelDB passes the system's error on only as text. */
export function classifyWriteError(error: unknown): StorageError {
  const { code, message } = causeOf(error);
  const full = code === 'ENOSPC' || /no space left|quota exceeded|ENOSPC|EDQUOT/i.test(message);
  return { kind: full ? 'full' : 'io', message };
}

function classifyReadError(error: unknown): StorageError {
  const { code, message } = causeOf(error);
  return { kind: code === 'LEVEL_CORRUPTION' || /corruption/i.test(message) ? 'damaged' : 'io', message };
}

const CLOSED: StorageError = { kind: 'closed', message: 'the store is closed' };

class LevelStorage implements Storage {
  private readonly level: Level;
  private readonly onDamaged: (message: string) => void;
  private writing = false;
  /** Set by the first failed write, permanently: after a failed sync nobody knows what the next one would cover. */
  private failure: StorageError | null = null;
  private closing: (() => void) | null = null;

  constructor(level: Level, onDamaged: (message: string) => void) {
    this.level = level;
    this.onDamaged = onDamaged;
  }

  get(key: string): Uint8Array | undefined {
    try {
      if (key.length <= FAST_KEY_UNITS_MAX) return this.level.getSync(key);
      return this.level.getSync<Uint8Array, Uint8Array>(Buffer.from(key), {
        keyEncoding: 'buffer',
        valueEncoding: 'buffer',
      });
    } catch (error) {
      assert(this.closing === null, 'no call follows close');
      this.onDamaged(causeOf(error).message);
      return DAMAGED_BYTES;
    }
  }

  write(
    keys: readonly string[],
    values: readonly (Uint8Array | null)[],
    done: (error: StorageError | null) => void,
  ): void {
    assert(!this.writing, 'one write in flight per store');
    assert(keys.length === values.length, 'as many values as keys');
    assert(this.closing === null, 'no call follows close');
    this.writing = true;
    if (this.failure !== null) {
      setImmediate(() => this.finish(done));
      return;
    }
    // A chained batch costs 0.3 to 0.9 µs per entry on the main thread, an array of operations 6.5 µs.
    const batch = this.level.batch();
    for (let index = 0; index < keys.length; index++) {
      const value = values[index]!;
      if (value === null) batch.del(keys[index]!);
      else batch.put(keys[index]!, value);
    }
    batch.write({ sync: true }).then(
      () => this.finish(done),
      (error: unknown) => {
        this.failure = classifyWriteError(error);
        this.finish(done);
      },
    );
  }

  scan(
    from: string,
    to: string,
    entryCountMax: number,
    byteCountMax: number,
    done: (error: StorageError | null, entries: readonly StorageEntry[]) => void,
  ): void {
    if (this.closing !== null) return void setImmediate(() => done(CLOSED, []));
    // The iterator reads a snapshot taken here, and stops with the entry that takes it past its high-water mark.
    const range = {
      gte: from,
      lt: to,
      limit: entryCountMax,
      highWaterMarkBytes: Math.max(0, byteCountMax - 1),
    };
    const iterator = this.level.iterator(range);
    const entries: StorageEntry[] = [];
    iterator
      .nextv(entryCountMax)
      .then((pairs) => {
        for (const [key, value] of pairs) entries.push({ key, value });
        return iterator.close();
      })
      .then(
        () => done(null, entries),
        (error: unknown) => {
          iterator.close().catch(() => undefined);
          done(this.closing === null ? classifyReadError(error) : CLOSED, []);
        },
      );
  }

  close(done: () => void): void {
    assert(this.closing === null, 'closed once');
    this.closing = done;
    if (!this.writing) this.finishClose();
  }

  private finish(done: (error: StorageError | null) => void): void {
    this.writing = false;
    const closing = this.closing !== null;
    done(this.failure);
    if (closing) this.finishClose();
  }

  /** A failed close is harmless: the engine has nothing left to write. */
  private finishClose(): void {
    const closed = this.closing!;
    this.level.close().then(closed, closed);
  }
}

function ignoreDamage(): void {
  // The caller of `get` notices by the empty bytes.
}
