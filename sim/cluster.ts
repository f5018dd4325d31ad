/**
 * A simulated cluster: complete nodes, as in production down to their batching and codecs, on a simulated network,
 * disks, PostgreSQL and legacy source. Processes are killed, paused and restarted from outside; a disk outlives the
 * process that used it.
 */
import { Prng } from '../src/base/prng.ts';
import { markInDoubt } from '../src/node/membership/disk.ts';
import type { CausewayNode } from '../src/node/node.ts';
import type { NodeParts } from '../src/node/node-parts.ts';
import { openNode } from '../src/node/open-node.ts';
import type { Replace } from '../src/node/open-node.ts';
import type { SpoolSettings } from '../src/node/spool/spool.ts';
import { Instruments } from '../src/core/observability/instruments.ts';
import {
  CLOCK_DRIFT_MAX,
  HEARTBEAT_MS,
  LEASE_MS,
  OVERLOAD_DELAY_MS_DEFAULT,
  OWNER_COUNT_MIN_DEFAULT,
  SLOW_AFTER_MS_DEFAULT,
  SUSPECT_AFTER_MS,
  TOMBSTONE_KEEP_MS_DEFAULT,
} from '../src/core/limits.ts';
import { NO_DOORS } from '../src/core/clients/door-address.ts';
import type { DoorAddresses } from '../src/core/clients/door-address.ts';
import { DoorBook } from '../src/core/clients/door-book.ts';
import type { Mutations } from '../src/core/mutations.ts';
import { PROTOCOL_MIN } from '../src/core/membership/protocol-versions.ts';
import { movesOf } from '../src/core/placement/slot-moves.ts';
import type { Member } from '../src/core/membership/topology.ts';
import { NodeTraces } from '../src/node/tracing/node-traces.ts';
import type { Telemetry } from '../src/ports/telemetry.ts';
import type { Tracing } from '../src/ports/tracing.ts';
import { SimDisk } from './disk.ts';
import type { SimLegacy } from './legacy.ts';
import { SimNetwork } from './network.ts';
import { simHash32, simPlaceOf } from './placements.ts';
import { MachineClocks, SimClock } from './scheduler.ts';
import type { Life, Scheduler } from './scheduler.ts';
import type { SimDatabase } from './system-of-record.ts';
import { SimVersions } from './versions.ts';

/** The reserve of free space: many times what a node writes within a second or two of a run. */
export const SIM_RESERVE_BYTES = 2_000_000;

const SIM_REJECT: SpoolSettings = { outage: 'reject', spoolBytesMax: 1_000_000, spoolEntriesMax: 10_000 };

export interface SimClusterOptions {
  readonly nodeCount: number;
  readonly replicaCount: number;
  /** Default: never. */
  readonly healAfterMs?: number;
  /** Pause between two rounds of scrubbing. Default: no scrubbing. */
  readonly scrubPauseMs?: number;
  /** Default: longer than any run. */
  readonly tombstoneKeepMs?: number;
  readonly scheduler: Scheduler;
  readonly prng: Prng;
  readonly database: SimDatabase | null;
  readonly legacy: SimLegacy | null;
  readonly mutations: Mutations;
  /** What happens to writes while PostgreSQL is away; default: they are refused. */
  readonly record?: SpoolSettings;
  readonly network: SimNetwork;
  /** Default: all members speak the latest version. */
  readonly versions?: SimVersions;
  /** Default: nothing is traced. */
  readonly tracingOf?: (node: string) => Tracing;
  /** Called with the events of a node, for the trace and to count what occurred. */
  readonly onEvent: (node: string, name: string, fields: Readonly<Record<string, unknown>>) => void;
  readonly onCount?: (node: string, metric: string) => void;
}

export interface SimNode {
  readonly name: string;
  readonly disk: SimDisk;
  readonly clocks: MachineClocks;
  life: Life | null;
  node: CausewayNode | null;
  /** The door addresses that its next process announces. */
  doors: DoorAddresses;
  /** The highest version of the peer protocol that its latest process speaks. */
  protocol: number;
  /** Number of processes that this member has had, to recognise late answers from an earlier one. */
  startCount: number;
  /** For a member added after the founding: the member whose place it takes, or ''. Null for a founder. */
  readonly replaces: string | null;
  /** A node was told that this member is to leave for good. */
  isLeaving: boolean;
  /** It will not be started again: it has left, or is lost with its disk. */
  isGone: boolean;
  /** It is lost, and must not be started before an operator has acted. */
  isHeld: boolean;
}

export class SimCluster {
  readonly nodes: SimNode[] = [];
  readonly versions: SimVersions;
  /** Called once for each process that has ended. */
  onEnded: ((life: Life) => void) | null = null;
  /** Called when a process cannot read its disk and has ended. */
  onUnreadable: ((sim: SimNode) => void) | null = null;
  private readonly options: SimClusterOptions;

  constructor(options: SimClusterOptions) {
    this.options = options;
    this.versions = options.versions ?? new SimVersions(0, 'latest');
    this.versions.watch(this.nodes);
    for (let index = 0; index < options.nodeCount; index += 1) this.add(null);
  }

  get network(): SimNetwork {
    return this.options.network;
  }

  /** Whether writes may complete without PostgreSQL. */
  get spools(): boolean {
    return this.options.record?.outage === 'spool';
  }

  get replicaCount(): number {
    return this.options.replicaCount;
  }

  /** Adds a machine that is not started yet. */
  add(replaces: string | null): SimNode {
    const { scheduler, prng } = this.options;
    const sim: SimNode = {
      name: `node-${this.nodes.length + 1}`,
      disk: new SimDisk(prng.fork()),
      clocks: new MachineClocks(scheduler, 1 + prng.between(-CLOCK_DRIFT_MAX, CLOCK_DRIFT_MAX)),
      life: null,
      node: null,
      doors: NO_DOORS,
      protocol: 0,
      startCount: 0,
      replaces,
      isLeaving: false,
      isGone: false,
      isHeld: false,
    };
    this.nodes.push(sim);
    return sim;
  }

  // long: all that a process is given, once
  start(sim: SimNode): void {
    if (sim.life !== null || sim.isGone || sim.isHeld) return;
    const { scheduler, network, prng } = this.options;
    const life: Life = { alive: true, pausedUntil: 0 };
    sim.life = life;
    sim.startCount += 1;
    sim.protocol = this.versions.next(sim);
    this.options.onEvent(sim.name, 'sim.start', { protocol: sim.protocol });
    const clock = new SimClock(scheduler, life, sim.clocks);
    const tracing = this.options.tracingOf?.(sim.name);
    const parts: NodeParts = {
      self: { name: sim.name, address: sim.name, zone: '', host: '' },
      doors: new DoorBook(sim.name, sim.doors),
      joins: sim.replaces === null ? null : { weight: 1, replaces: sim.replaces },
      members: this.membersKnownTo(sim).map(({ name }) => ({ name, address: name, weight: 1 })),
      membership: {
        replicaCount: this.options.replicaCount,
        ownerCountMin: OWNER_COUNT_MIN_DEFAULT,
        leaseMs: LEASE_MS,
        clockDrift: CLOCK_DRIFT_MAX,
        healAfterMs: this.options.healAfterMs ?? 0,
        heartbeatMs: HEARTBEAT_MS,
        suspectAfterMs: SUSPECT_AFTER_MS,
        linkGraceMs: 50,
        splitAfterMs: 1_000,
        slowAfterMs: SLOW_AFTER_MS_DEFAULT,
        coldStartGraceMs: 3_000,
        stopTimeoutMs: 2_000,
      },
      hello: {
        name: sim.name,
        clusterName: 'sim',
        protocolMin: PROTOCOL_MIN,
        protocolMax: sim.protocol,
        settings: {},
      },
      cacheBytes: prng.chance(0.3) ? 2_000 : 1_000_000,
      copyBytesPerSecondMax: 0,
      scrub: { recordsPerSecondMax: 0, bytesPerSecondMax: 0, pauseMs: this.options.scrubPauseMs ?? 0 },
      overloadDelayMs: OVERLOAD_DELAY_MS_DEFAULT,
      diskReserve: { bytes: SIM_RESERVE_BYTES, shareMax: 0.5 },
      writeThrough: [],
      record: this.options.record ?? SIM_REJECT,
      legacyTimeoutMs: 1_000,
      tombstoneKeepMs: this.options.tombstoneKeepMs ?? TOMBSTONE_KEEP_MS_DEFAULT,
      clock,
      random: prng.fork(),
      telemetry: this.telemetryOf(sim.name),
      instruments: new Instruments(),
      storage: sim.disk.open(scheduler, life),
      setAside: { paths: [], reason: '' },
      raiseDisk: (protocol) => {
        if (protocol <= sim.disk.protocol) return;
        sim.disk.protocol = protocol;
        this.options.onEvent(sim.name, 'sim.raised', { protocol });
      },
      diskSpace: sim.disk.space(scheduler, life),
      transport: network.attach(sim.name, life),
      systemOfRecord: this.options.database?.connect(life, sim.name) ?? null,
      legacySource: this.options.legacy?.connect(life) ?? null,
      traces: tracing === undefined ? null : new NodeTraces(tracing, clock),
      hash32: simHash32,
      place: simPlaceOf(this.options.replicaCount),
      onFatal: (reason) => {
        this.options.onEvent(sim.name, 'sim.fatal', { reason });
        scheduler.after(0, () => this.kill(sim));
      },
      onLeft: () => {
        this.options.onEvent(sim.name, 'sim.left', {});
        sim.node?.stop(() => (sim.life === life ? this.leave(sim) : undefined));
      },
      mutations: this.options.mutations,
    };
    this.openOn(sim, parts, life);
  }

  /** As the real program does: sets damaged stores aside, and treats the blank store beside such a one as in doubt. */
  private openOn(sim: SimNode, parts: NodeParts, life: Life): void {
    const { disk } = sim;
    const replace: Replace = (reason, done) => {
      this.options.onEvent(sim.name, 'sim.setAside', { reason });
      parts.storage.close(() => {
        if (!disk.setAside()) return done('too many damaged stores were set aside');
        const storage = disk.open(this.options.scheduler, life);
        const setAside = { paths: [`${sim.name}/store.broken-${disk.brokenCount}`], reason };
        markInDoubt(storage, (error) => done(error === null ? { storage, setAside } : error.message));
      });
    };
    const open = (): void =>
      openNode(parts, replace, (node, problem) => {
        if (node === null) {
          this.options.onEvent(sim.name, 'sim.unreadable', { reason: problem });
          this.kill(sim);
          this.onUnreadable?.(sim);
          return;
        }
        sim.node = node;
        node.start();
      });
    if (disk.brokenCount === 0) open();
    else markInDoubt(parts.storage, open);
  }

  /** kill -9: what was not on disk is gone, and peers notice by their connections. */
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

  /** SIGTERM: the process ends by itself when all is in order, and `done` is called then. */
  stop(sim: SimNode, done: () => void): boolean {
    const { node, life } = sim;
    if (node === null || life === null) return false;
    this.options.onEvent(sim.name, 'sim.stop', {});
    node.stop(() => {
      if (sim.life === life) this.kill(sim);
      done();
    });
    return true;
  }

  pause(sim: SimNode, ms: number): boolean {
    if (sim.life === null) return false;
    this.options.onEvent(sim.name, 'sim.pause', { ms: Math.round(ms) });
    sim.life.pausedUntil = Math.max(sim.life.pausedUntil, this.options.scheduler.time + ms);
    return true;
  }

  /** The machine sleeps, and its monotonic clock with it; a process that is paused already is left alone. */
  suspend(sim: SimNode, ms: number): boolean {
    const { life } = sim;
    if (life === null || life.pausedUntil > this.options.scheduler.time) return false;
    this.options.onEvent(sim.name, 'sim.suspend', { ms: Math.round(ms) });
    sim.clocks.suspend(ms);
    life.pausedUntil = this.options.scheduler.time + ms;
    return true;
  }

  /**
   * Whether every member (except one, if given) is alive, complete and serving in the same epoch, no slots are moving,
   * and everyone who asked to join has become a member.
   */
  isWhole(except: SimNode | null = null): boolean {
    const epochs = new Set<number>();
    const present = this.nodes.filter((sim) => !sim.isGone && sim !== except);
    // Does not use the node's status, which would be expensive: this is called all the time.
    const seen = present.find(({ node }) => node?.membership.leaseHeld() === true)?.node?.membership.topology;
    if (seen === undefined || seen === null || movesOf(seen).slotCount > 0) return false;
    const names = new Set(seen.members.map((member) => member.name));
    if (except !== null) names.delete(except.name);
    for (const sim of present) {
      if (sim.isLeaving && !names.has(sim.name)) continue;
      if (!isServing(sim)) return false;
      const { members, epoch } = sim.node!.membership.topology!;
      const { learning } = movesOf(sim.node!.membership.topology!);
      const isPart = ({ id, name, alive }: Member): boolean =>
        name === except?.name || (alive && !learning.has(id));
      if (!members.every(isPart)) return false;
      names.delete(sim.name);
      epochs.add(epoch);
    }
    return epochs.size === 1 && names.size === 0;
  }

  /** The process has ended by itself, in order. */
  private leave(sim: SimNode): void {
    sim.isGone = true;
    // Nobody can ask it any more, but its answers are still on their way.
    sim.node = null;
    this.options.scheduler.after(50, () => this.kill(sim));
  }

  /** Founders know one another; a joining node asks a member for all the others. */
  private membersKnownTo(sim: SimNode): SimNode[] {
    return this.nodes.filter(
      (each) => each === sim || (sim.replaces === null ? each.replaces === null : !each.isGone),
    );
  }

  private telemetryOf(name: string): Telemetry {
    return {
      event: (_level, event, fields) => this.options.onEvent(name, event, fields ?? {}),
      count: (metric) => this.options.onCount?.(name, metric),
    };
  }
}

function isServing({ node }: SimNode): boolean {
  return node !== null && node.membership.leaseHeld() && node.membership.phase === 'serving';
}
