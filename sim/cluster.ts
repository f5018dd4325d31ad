/**
 * A simulated cluster: whole nodes, as they run in production down to their batching and their codecs, on a
 * simulated network, disks, PostgreSQL and legacy source. Processes are killed, paused and started again from
 * outside; a disk outlives the process that used it.
 */
import { Prng } from '../src/base/prng.ts';
import { CausewayNode } from '../src/node/node.ts';
import type { NodeParts } from '../src/node/node-parts.ts';
import {
  CLOCK_DRIFT_MAX,
  HEARTBEAT_MS,
  LEASE_MS,
  OWNER_COUNT_MIN_DEFAULT,
  SUSPECT_AFTER_MS,
} from '../src/core/limits.ts';
import type { Mutations } from '../src/core/mutations.ts';
import type { Telemetry } from '../src/ports/telemetry.ts';
import { crc32Text } from '../src/wire/text-checksum.ts';
import { SimDisk } from './disk.ts';
import type { SimLegacy } from './legacy.ts';
import { SimNetwork } from './network.ts';
import { MachineClocks, SimClock } from './scheduler.ts';
import type { Life, Scheduler } from './scheduler.ts';
import type { SimDatabase } from './system-of-record.ts';

export interface SimClusterOptions {
  readonly nodeCount: number;
  readonly replicaCount: number;
  readonly scheduler: Scheduler;
  readonly prng: Prng;
  readonly database: SimDatabase | null;
  readonly legacy: SimLegacy | null;
  readonly mutations: Mutations;
  readonly network: SimNetwork;
  /** What a node tells: for the trace and for counting what occurred. */
  readonly onEvent: (node: string, name: string, fields: Readonly<Record<string, unknown>>) => void;
}

export interface SimNode {
  readonly name: string;
  readonly disk: SimDisk;
  readonly clocks: MachineClocks;
  life: Life | null;
  node: CausewayNode | null;
  /** Processes that this member has been, for telling late answers of an earlier one. */
  startCount: number;
}

export class SimCluster {
  readonly nodes: readonly SimNode[];
  /** A process has ended; told once for each. */
  onEnded: ((life: Life) => void) | null = null;
  private readonly options: SimClusterOptions;

  constructor(options: SimClusterOptions) {
    this.options = options;
    this.nodes = Array.from({ length: options.nodeCount }, (_, index) => ({
      name: `node-${index + 1}`,
      disk: new SimDisk(options.prng.fork()),
      clocks: new MachineClocks(
        options.scheduler,
        1 + options.prng.between(-CLOCK_DRIFT_MAX, CLOCK_DRIFT_MAX),
      ),
      life: null,
      node: null,
      startCount: 0,
    }));
  }

  start(sim: SimNode): void {
    if (sim.life !== null) return;
    const { scheduler, network, prng } = this.options;
    const life: Life = { alive: true, pausedUntil: 0 };
    sim.life = life;
    sim.startCount += 1;
    this.options.onEvent(sim.name, 'sim.start', {});
    const parts: NodeParts = {
      self: { name: sim.name, address: sim.name, zone: '', host: '' },
      members: this.nodes.map((each) => ({ name: each.name, address: each.name, weight: 1 })),
      membership: {
        replicaCount: this.options.replicaCount,
        ownerCountMin: OWNER_COUNT_MIN_DEFAULT,
        leaseMs: LEASE_MS,
        clockDrift: CLOCK_DRIFT_MAX,
        heartbeatMs: HEARTBEAT_MS,
        suspectAfterMs: SUSPECT_AFTER_MS,
        linkGraceMs: 50,
        splitAfterMs: 1_000,
        coldStartGraceMs: 3_000,
        stopTimeoutMs: 2_000,
      },
      hello: { name: sim.name, clusterName: 'sim', protocolMin: 1, protocolMax: 1, settings: {} },
      cacheBytes: prng.chance(0.3) ? 2_000 : 1_000_000,
      writeThrough: [],
      legacyTimeoutMs: 1_000,
      clock: new SimClock(scheduler, life, sim.clocks),
      random: prng.fork(),
      telemetry: this.telemetryOf(sim.name),
      storage: sim.disk.open(scheduler, life),
      transport: network.attach(sim.name, life),
      systemOfRecord: this.options.database?.connect(life) ?? null,
      legacySource: this.options.legacy?.connect(life) ?? null,
      hash32: (text) => crc32Text(text),
      onFatal: (reason) => {
        this.options.onEvent(sim.name, 'sim.fatal', { reason });
        scheduler.after(0, () => this.kill(sim));
      },
      mutations: this.options.mutations,
    };
    CausewayNode.open(parts, (node, problem) => {
      if (node === null) {
        this.options.onEvent(sim.name, 'sim.fatal', { reason: problem });
        return;
      }
      sim.node = node;
      node.start();
    });
  }

  /** kill -9: what was not on disk is gone, peers notice by their connections. */
  kill(sim: SimNode): void {
    if (sim.life === null) return;
    this.options.onEvent(sim.name, 'sim.kill', {});
    sim.life.alive = false;
    const { life } = sim;
    sim.life = null;
    sim.node = null;
    this.options.network.kill(sim.name);
    this.onEnded?.(life);
  }

  pause(sim: SimNode, ms: number): void {
    if (sim.life === null) return;
    this.options.onEvent(sim.name, 'sim.pause', { ms: Math.round(ms) });
    sim.life.pausedUntil = Math.max(sim.life.pausedUntil, this.options.scheduler.time + ms);
  }

  /** Is every member alive, complete and serving in one and the same epoch? */
  isWhole(): boolean {
    const epochs = new Set<number>();
    for (const sim of this.nodes) {
      const status = sim.node?.status();
      if (status === undefined || !status.leaseHeld || status.phase !== 'serving') return false;
      if (status.members.some((member) => !member.alive || member.slotsLearning > 0)) return false;
      epochs.add(status.epoch);
    }
    return epochs.size === 1;
  }

  private telemetryOf(name: string): Telemetry {
    return {
      event: (_level, event, fields) => this.options.onEvent(name, event, fields ?? {}),
      count: () => undefined,
    };
  }
}
