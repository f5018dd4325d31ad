/** The node's own disk at the start: the directory taken, the store opened, and set aside where it is damaged. */
import { openDirectory, setAside } from './adapters/leveldb/directory.ts';
import { openLevelStore } from './adapters/leveldb/store.ts';
import type { Config } from './config.ts';
import type { Storage } from './ports/storage.ts';
import type { Telemetry } from './ports/telemetry.ts';

export interface OpenedStore {
  readonly storage: Storage;
  /** Lets another process have the directory; the store must be closed before. */
  readonly release: () => Promise<void>;
}

/** Throws one line for the operator where the directory cannot be used. */
export async function openStore(config: Config, telemetry: Telemetry): Promise<OpenedStore> {
  const identity = { clusterName: config.cluster.name, nodeName: config.node.name };
  const taken = await openDirectory(config.node.dataDir, identity);
  if (taken.kind === 'refused') throw new Error(taken.message);
  const { directory } = taken;
  const onDamaged = (message: string): void =>
    telemetry.event('error', 'store.read_damaged', { reason: message });
  try {
    let opened = await openLevelStore(directory.storePath, { onDamaged });
    if (opened.kind === 'damaged') {
      // Nothing of it may be believed: this node comes back blank, and is rebuilt from its peers. (R29)
      const path = await setAside(directory);
      telemetry.event('error', 'store.set_aside', { reason: opened.message, path });
      opened = await openLevelStore(directory.storePath, { onDamaged });
    }
    if (opened.kind !== 'open') throw new Error(opened.message);
    return { storage: opened.storage, release: () => directory.release() };
  } catch (error) {
    await directory.release();
    throw error;
  }
}
