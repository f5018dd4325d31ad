/**
 * The node's own disk at startup: locks the directory and opens the store. A damaged store is set aside and replaced by
 * a blank one. Nothing in a damaged store is trusted, and nothing of it is deleted. (PROTOCOL R8, R29)
 */
import { brokenStores, openDirectory, setAside } from '../adapters/leveldb/directory.ts';
import type { DataDirectory } from '../adapters/leveldb/directory.ts';
import { openLevelStore } from '../adapters/leveldb/store.ts';
import type { Config } from '../config/config.ts';
import { markInDoubt } from '../node/membership/disk.ts';
import type { SetAside } from '../node/node-parts.ts';
import type { Storage } from '../ports/storage.ts';
import type { Telemetry } from '../ports/telemetry.ts';

export class NodeStore {
  private readonly directory: DataDirectory;
  private readonly telemetry: Telemetry;
  private inner: Storage | null = null;
  private broken: readonly string[] = [];
  private reason = '';

  private constructor(directory: DataDirectory, telemetry: Telemetry) {
    this.directory = directory;
    this.telemetry = telemetry;
  }

  /** Throws a one-line message for the operator if the directory cannot be used. */
  static async open(config: Config, telemetry: Telemetry): Promise<NodeStore> {
    const identity = { clusterName: config.cluster.name, nodeName: config.node.name };
    const taken = await openDirectory(config.node.dataDir, identity);
    if (taken.kind === 'refused') throw new Error(taken.message);
    const store = new NodeStore(taken.directory, telemetry);
    try {
      await store.openInner();
      return store;
    } catch (error) {
      await store.close();
      throw error;
    }
  }

  /** The present store; closing it more than once is harmless. */
  get storage(): Storage {
    const inner = this.inner!;
    return {
      get: (key) => inner.get(key),
      write: (keys, values, done) => inner.write(keys, values, done),
      scan: (from, to, entryCountMax, byteCountMax, done) =>
        inner.scan(from, to, entryCountMax, byteCountMax, done),
      close: (done) => {
        this.inner = null;
        inner.close(done);
      },
    };
  }

  /** The stores that were set aside, for people to see. */
  get setAside(): SetAside {
    return { paths: this.broken, reason: this.reason };
  }

  /** The present store is damaged: replaces it by a blank one. Throws if that is not possible. */
  async replace(reason: string): Promise<void> {
    await this.closeInner();
    await this.moveAway(reason);
    await this.openInner();
  }

  /** From now on only programs that speak this version of the peer protocol can open the directory. */
  raise(protocol: number): void {
    this.directory.raise(protocol);
  }

  /** Releases the directory for another process. */
  async close(): Promise<void> {
    await this.closeInner();
    await this.directory.release();
  }

  private async openInner(): Promise<void> {
    const { storePath } = this.directory;
    const onDamaged = (message: string): void =>
      this.telemetry.event('error', 'store.read_damaged', { reason: message });
    let opened = await openLevelStore(storePath, { onDamaged });
    if (opened.kind === 'damaged') {
      await this.moveAway(opened.message);
      opened = await openLevelStore(storePath, { onDamaged });
    }
    if (opened.kind !== 'open') throw new Error(opened.message);
    this.inner = opened.storage;
    this.broken = await brokenStores(this.directory);
    // Decided by the files on disk, so that a crash in between makes no difference.
    if (this.broken.length > 0) await markedInDoubt(this.inner);
  }

  private async moveAway(reason: string): Promise<void> {
    const moved = await setAside(this.directory, reason);
    if (moved.kind === 'refused') throw new Error(moved.message);
    this.reason = reason;
    this.telemetry.event('error', 'store.set_aside', { reason, path: moved.path });
  }

  private closeInner(): Promise<void> {
    const { inner } = this;
    this.inner = null;
    return new Promise((resolve) => (inner === null ? resolve() : inner.close(resolve)));
  }
}

function markedInDoubt(storage: Storage): Promise<void> {
  return new Promise((resolve, reject) => {
    markInDoubt(storage, (error) => (error === null ? resolve() : reject(new Error(error.message))));
  });
}
