/**
 * The data directory of a node: which cluster and node it belongs to, its format, and the guarantee that only one
 * process uses it. Anything that would make a node serve someone else's data, or data that it cannot read, is refused
 * here with a one-line message that says what to do.
 */
import * as fs from 'node:fs';
import { mkdirSync, readFileSync, statSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { makeFolders } from '../../base/make-folders.ts';
import { renameDurably, replaceFile, UNFINISHED } from '../../base/replace-file.ts';
import { directoryAdvice, isSystemError, knownAdvice, systemReason } from '../../base/system-reason.ts';
import { PROTOCOL_MAX, PROTOCOL_UNTOLD } from '../../core/membership/protocol-versions.ts';

/** The format of a new directory. `raise` sets a later one when an older program would misread the contents. */
export const DIRECTORY_FORMAT_FIRST = 1;
/** Formats above the first one encode the lowest version of the peer protocol that programs must speak. */
const PROTOCOL_OF_FORMAT_FIRST = PROTOCOL_UNTOLD;
export const DIRECTORY_FORMAT = DIRECTORY_FORMAT_FIRST + PROTOCOL_MAX - PROTOCOL_OF_FORMAT_FIRST;

const DISK = { ...fs, dirname };
const IDENTITY_FILE = 'identity.json';
/** The subdirectory in which the engine keeps its files. */
export const STORE_FOLDER = 'store';
/** A file there without which the engine finds nothing. */
export const STORE_FILE = 'CURRENT';
const LOCK_FOLDER = 'lock';
const BROKEN_PREFIX = `${STORE_FOLDER}.broken-`;
/** How many broken stores are kept for inspection. With this many, a node refuses to set another one aside. */
export const BROKEN_STORES_MAX = 3;

export interface DirectoryIdentity {
  readonly clusterName: string;
  readonly nodeName: string;
}

export type OpenDirectoryResult =
  | { readonly kind: 'open'; readonly directory: DataDirectory }
  /** One line for the operator; nothing was changed. */
  | { readonly kind: 'refused'; readonly message: string };

export interface DataDirectory {
  readonly path: string;
  /** Path of the store. */
  readonly storePath: string;
  /** No node had used the directory before: it was empty, or did not exist. */
  readonly isNew: boolean;
  /**
   * Refuses, from now on, programs that speak less than this version of the peer protocol: the contents of this
   * directory would look damaged to them. Durable when this returns; called once in the life of a cluster.
   */
  raise(protocol: number): void;
  /** Releases the lock on the directory. The store must be closed before. */
  release(): Promise<void>;
}

/** Locks the directory for this process, creating it if it does not exist. */
export async function openDirectory(path: string, identity: DirectoryIdentity): Promise<OpenDirectoryResult> {
  try {
    makeFolders({ statSync, mkdirSync, dirname }, resolve(path));
    const lock = await takeLock(path);
    if (typeof lock === 'string') return { kind: 'refused', message: lock };
    try {
      const claim = await claimIdentity(path, identity);
      if (typeof claim === 'string') {
        await lock.close();
        return { kind: 'refused', message: claim };
      }
      const storePath = join(path, STORE_FOLDER);
      return {
        kind: 'open',
        directory: {
          path,
          storePath,
          isNew: claim.isNew,
          raise: (protocol) => raiseFormat(path, identity, protocol),
          release: () => lock.close(),
        },
      };
    } catch (error) {
      await lock.close();
      throw error;
    }
  } catch (error) {
    return {
      kind: 'refused',
      message: isSystemError(error)
        ? `the data directory ${path} cannot be used (${systemReason(error)}): ${directoryAdvice(error)}, or name another directory`
        : `the data directory ${path} cannot be used: ${(error as Error).message}`,
    };
  }
}

/**
 * Node.js cannot lock a file, but LevelDB can: an empty database serves as the lock, which the kernel releases when the
 * process ends, however it ends. It is separate from the store's own lock, so that the store can be set aside
 * meanwhile.
 */
async function takeLock(path: string): Promise<ClassicLevel | string> {
  const lockPath = join(path, LOCK_FOLDER);
  const lock = new ClassicLevel(lockPath);
  try {
    await lock.open();
    return lock;
  } catch (error) {
    const cause = ((error as Error).cause ?? error) as Error & { code?: string };
    if (cause.code === 'LEVEL_LOCKED')
      return `another process uses the data directory ${path}: stop it first, or name another directory`;
    const advice = knownAdvice(cause);
    if (advice !== undefined)
      return `the data directory ${path} cannot be written (${cause.message}): ${advice}, or name another directory`;
    return `the data directory ${path} cannot be locked (${cause.message}): if no other process uses it, remove ${lockPath}`;
  }
}

async function claimIdentity(
  path: string,
  identity: DirectoryIdentity,
): Promise<{ isNew: boolean } | string> {
  const text = await readFile(join(path, IDENTITY_FILE), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (text !== null) return identityFault(path, text, identity) ?? { isNew: false };
  // A store without an identity belongs to somebody; other files may come with a mount point, or show that the path is
  // mistaken.
  const foreign = (await readdir(path)).filter((name) => name !== LOCK_FOLDER && !isHarmless(name));
  if (foreign.length > 0) {
    return `the data directory ${path} holds files that are not Causeway's (${foreign.slice(0, 3).join(', ')}): name an empty one`;
  }
  replaceFile(DISK, join(path, IDENTITY_FILE), identityText(DIRECTORY_FORMAT_FIRST, identity));
  return { isNew: true };
}

function identityText(format: number, identity: DirectoryIdentity): string {
  return `${JSON.stringify({ format, ...identity }, null, 2)}\n`;
}

/** Never lowers the format. */
function raiseFormat(path: string, identity: DirectoryIdentity, protocol: number): void {
  const format = DIRECTORY_FORMAT_FIRST + protocol - PROTOCOL_OF_FORMAT_FIRST;
  const found = parseObject(readFileSync(join(path, IDENTITY_FILE), 'utf8'));
  if (typeof found?.format === 'number' && found.format >= format) return;
  replaceFile(DISK, join(path, IDENTITY_FILE), identityText(format, identity));
}

/** Files that a fresh file system or an interrupted first start leaves in an otherwise empty directory. */
function isHarmless(name: string): boolean {
  // Earlier programs wrote their unfinished identity to a `.tmp`.
  const unfinished = [UNFINISHED, '.tmp'].map((ending) => IDENTITY_FILE + ending);
  return name === 'lost+found' || name === '.DS_Store' || unfinished.includes(name);
}

/** Why the directory with this `identity.json` is not ours, in one line; null if it is. */
export function identityFault(path: string, text: string, expected: DirectoryIdentity): string | null {
  const found = parseObject(text);
  if (
    typeof found?.format !== 'number' ||
    typeof found.clusterName !== 'string' ||
    typeof found.nodeName !== 'string'
  ) {
    return `${join(path, IDENTITY_FILE)} is damaged: restore it, or move the directory away and let the node be rebuilt from its peers`;
  }
  if (found.format > DIRECTORY_FORMAT) {
    return `the data directory ${path} was written by a newer Causeway (format ${found.format}, this one reads up to ${DIRECTORY_FORMAT}): use that version`;
  }
  if (found.clusterName !== expected.clusterName) {
    return `the data directory ${path} belongs to the cluster '${found.clusterName}', and this node is configured for '${expected.clusterName}'`;
  }
  if (found.nodeName !== expected.nodeName) {
    return `the data directory ${path} belongs to the node '${found.nodeName}', and this node is configured as '${expected.nodeName}'`;
  }
  return null;
}

function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

/** The stores that were set aside, oldest first. */
export async function brokenStores(directory: DataDirectory): Promise<string[]> {
  const names = (await readdir(directory.path)).filter((name) => name.startsWith(BROKEN_PREFIX));
  return names.sort().map((name) => join(directory.path, name));
}

export type SetAsideResult =
  /** The path of the moved store. */
  | { readonly kind: 'moved'; readonly path: string }
  /** One line for the operator; nothing was changed. */
  | { readonly kind: 'refused'; readonly message: string };

/**
 * Moves a broken store to `store.broken-<time>` beside it. It may hold data that nobody else has, so it is never
 * deleted here. The store must be closed. The number of broken stores is limited, because a disk that breaks one store
 * after another must not fill up with them.
 */
export async function setAside(directory: DataDirectory, reason: string): Promise<SetAsideResult> {
  const kept = await brokenStores(directory);
  if (kept.length >= BROKEN_STORES_MAX) {
    const message = `${reason}; and ${kept.length} damaged stores lie in ${directory.path} already: the disk may be failing. Look into that, remove those that are of no use any more (${BROKEN_PREFIX}*), and start the node again`;
    return { kind: 'refused', message };
  }
  const time = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
  const path = join(directory.path, BROKEN_PREFIX + time);
  const target = kept.includes(path) ? `${path}-${kept.length + 1}` : path;
  renameDurably(DISK, directory.storePath, target);
  return { kind: 'moved', path: target };
}
