/**
 * A cluster that is started for one run: real node processes, supervised like those of `causeway up`, with whatever can
 * be made to fail around them.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Prng } from '../src/base/prng.ts';
import {
  startCluster,
  type ClusterOptions,
  type Place,
  type Surroundings,
  type TestCluster,
} from '../test/support/cluster.ts';
import { testServer } from '../test/support/postgres.ts';
import { buildProgram } from '../test/support/supervisor-program.ts';
import { FakeClocks } from './chaos/fake-clocks.ts';
import { pauseProcesses } from '../test/support/hold-process.ts';
import { FaultNetwork } from './chaos/fault-network.ts';
import { NamespaceNetwork } from './chaos/namespace-network.ts';
import { SmallDisks } from './chaos/small-disks.ts';
import type { Wires } from './chaos/wires.ts';
import type { Ending, LegacyView, World } from './world.ts';

/** The surroundings of the nodes; none unless requested. */
export interface RigPlan {
  readonly network?: 'proxy' | 'namespaces';
  readonly disks?: boolean;
  readonly clocks?: boolean;
  /** Seed for what the network draws. */
  readonly seed?: number;
}

export type OwnWorldOptions = ClusterOptions & { readonly rig?: RigPlan };

/** Milliseconds between a node's end and its next start, as in `causeway up`. */
const RESTART_AFTER_MS = 250;
/** The same after an unexpected end: a node that cannot start must not wear the machine out. */
const RESTART_AFTER_FAULT_MS = 1_000;
/** Milliseconds that the legacy API takes for a cold key: time enough for many to ask for it at once. */
const LEGACY_SLOW_MS = 300;

export async function openOwnWorld(nodes: number, rig: RigPlan = {}): Promise<World> {
  const program = await buildProgram('src/cli/main.ts');
  try {
    const world = await ownWorld({ entry: program.entry, nodes, rig });
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

/** The program must have been built. */
export async function ownWorld(options: OwnWorldOptions): Promise<World> {
  const around = new Around(options.rig ?? {});
  const keeper = new Keeper();
  const cluster = await startCluster({
    ...options,
    ...(options.rig?.network === 'namespaces' ? { place: (name) => around.place(name) } : {}),
    surround: (nodes, databaseUrl, legacyUrl) => around.build(nodes, databaseUrl, legacyUrl),
    onEnded: (name, how) => keeper.onEnded(name, how),
  });
  keeper.keep(cluster);
  let newest = cluster.nodes.length;
  return {
    nodes: cluster.nodes,
    databaseUrl: cluster.databaseUrl,
    legacy: options.legacy === false ? null : legacyView(cluster),
    async kill(names, downMs) {
      await cluster.kill(...names);
      keeper.startLater(names, downMs);
    },
    async killAndWipe(names) {
      await cluster.kill(...names);
      for (const name of names) cluster.wipe(name);
      keeper.startLater(names);
    },
    async stop(names) {
      await cluster.stop(...names);
      keeper.startLater(names);
    },
    pause: (names, slices) => pauseProcesses(names, (name) => cluster.processOf(name)?.pid, slices),
    rig: {
      network: around.network,
      postgres: await testServer(),
      legacy: options.legacy === false ? null : cluster.legacy,
      disks: around.disks,
      clocks: around.clocks,
      async join(by) {
        const name = `node-${(newest += 1)}`;
        await cluster.add(name, by);
        return name;
      },
      leave: (name) => cluster.leave(name),
      processOf: (name) => cluster.processOf(name),
      endings: keeper.endings,
      logOf: (name) => readFileSync(join(cluster.node(name).home, 'log'), 'utf8'),
    },
    async close() {
      await keeper.close();
      await cluster.close();
    },
  };
}

class Around {
  network: Wires | null = null;
  disks: SmallDisks | null = null;
  clocks: FakeClocks | null = null;
  private readonly plan: RigPlan;
  private readonly prng: Prng;
  private spaces: NamespaceNetwork | null = null;

  constructor(plan: RigPlan) {
    this.plan = plan;
    this.prng = new Prng(plan.seed ?? 1);
  }

  place(name: string): Promise<Place> {
    this.spaces ??= new NamespaceNetwork(() => this.prng.next());
    return this.spaces.place(name);
  }

  async build(
    nodes: readonly TestCluster['nodes'][number][],
    databaseUrl: string,
    legacyUrl: string | null,
  ): Promise<Surroundings> {
    const { plan, prng, spaces } = this;
    if (spaces !== null) {
      const names = nodes.map(({ name }) => name);
      await spaces.connect(names, { databaseUrl, legacyUrl });
      this.network = spaces;
    } else if (plan.network === 'proxy') {
      this.network = await FaultNetwork.start(nodes, databaseUrl, () => prng.next());
    }
    if (plan.disks === true) this.disks = new SmallDisks(nodes);
    if (plan.clocks === true) this.clocks = new FakeClocks(nodes);
    return {
      settingsOf: (name) => this.network?.settingsOf(name) ?? {},
      envOf: (name) => this.clocks?.envOf(name) ?? {},
      close: async () => {
        await this.network?.close();
        this.disks?.close();
      },
    };
  }
}

/** Restarts what has ended, like a supervisor. */
class Keeper {
  readonly endings: Ending[] = [];
  private cluster: TestCluster | null = null;
  private readonly stopped = new AbortController();
  private readonly starts = new Set<Promise<void>>();

  keep(cluster: TestCluster): void {
    this.cluster = cluster;
  }

  onEnded(name: string, how: number | string): void {
    this.endings.push({ name, how });
    this.startLater([name], RESTART_AFTER_FAULT_MS);
  }

  startLater(names: readonly string[], afterMs = RESTART_AFTER_MS): void {
    for (const name of names) {
      const one = this.startAfter(name, afterMs).finally(() => this.starts.delete(one));
      this.starts.add(one);
    }
  }

  async close(): Promise<void> {
    this.stopped.abort();
    await Promise.all(this.starts);
  }

  private async startAfter(name: string, afterMs: number): Promise<void> {
    const { signal } = this.stopped;
    await delay(afterMs, undefined, { signal }).catch(() => undefined);
    if (!signal.aborted && this.cluster?.processOf(name) === undefined) this.cluster?.start(name);
  }
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
