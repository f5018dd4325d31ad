/** A cluster of its own, started for one run: real node processes, watched over as `causeway up` does. */
import { setTimeout as delay } from 'node:timers/promises';
import { startCluster, type ClusterOptions, type TestCluster } from '../test/support/cluster.ts';
import { buildProgram } from '../test/support/supervisor-program.ts';
import type { LegacyView, World } from './world.ts';

/** Milliseconds between a node's end and its next start: those of `causeway up`. */
const RESTART_AFTER_MS = 250;
/** Milliseconds the legacy API takes for a cold key: time enough for many to ask for it at once. */
const LEGACY_SLOW_MS = 300;

export async function openOwnWorld(nodes: number): Promise<World> {
  const program = await buildProgram('src/cli/main.ts');
  try {
    const world = await ownWorld({ entry: program.entry, nodes });
    const close = async (): Promise<void> => {
      await world.close();
      program.remove();
    };
    return { ...world, close };
  } catch (error) {
    program.remove();
    throw error;
  }
}

/** On a program that is built already. */
export async function ownWorld(options: ClusterOptions): Promise<World> {
  const cluster = await startCluster(options);
  let isClosing = false;
  const restarts = new Set<Promise<void>>();
  const startAgain = async (name: string): Promise<void> => {
    await delay(RESTART_AFTER_MS);
    if (!isClosing) cluster.start(name);
  };
  const restart = (names: readonly string[]): void => {
    for (const name of names) {
      const one = startAgain(name).finally(() => restarts.delete(one));
      restarts.add(one);
    }
  };
  return {
    nodes: cluster.nodes,
    databaseUrl: cluster.databaseUrl,
    legacy: options.legacy === false ? null : legacyView(cluster),
    async kill(names) {
      await cluster.kill(...names);
      restart(names);
    },
    async killAndWipe(names) {
      await cluster.kill(...names);
      for (const name of names) cluster.wipe(name);
      restart(names);
    },
    async close() {
      isClosing = true;
      await Promise.all(restarts);
      await cluster.close();
    },
  };
}

function legacyView({ legacy }: TestCluster): LegacyView {
  let made = 0;
  return {
    async coldKeys(count) {
      return Array.from({ length: count }, () => {
        made += 1;
        const [key, value] = [`verify:cold:${made}`, `legacy value ${made}`];
        legacy.data.set(key, value);
        legacy.behaviourByKey.set(key, { kind: 'slow', ms: LEGACY_SLOW_MS });
        return { key, value };
      });
    },
    callsOf: async (key) => legacy.callsByKey.get(key) ?? 0,
    async silence() {
      await legacy.goDown();
      return () => legacy.comeUp();
    },
  };
}
