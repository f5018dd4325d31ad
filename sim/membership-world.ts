/**
 * Members alone, without data: a few `Membership` instances on virtual time, with links that break, stall and split,
 * disks that are wiped, processes that are killed and paused, and clocks that drift. The safety rules are checked from
 * outside every few milliseconds, with a view that no member has. (PROTOCOL R14-R17)
 */
import { Prng } from '../src/base/prng.ts';
import type { PeerMessage, FrameHeader } from '../src/core/message.ts';
import { SLOT_COUNT } from '../src/core/limits.ts';
import { DoorBook } from '../src/core/clients/door-book.ts';
import type { Mutations } from '../src/core/mutations.ts';
import type { Placement } from '../src/core/membership/topology-change.ts';
import { PROTOCOL_MAX } from '../src/core/membership/protocol-versions.ts';
import { isLiveIncarnation, memberByName, rowOfSlot } from '../src/core/membership/topology.ts';
import type { Member, Topology } from '../src/core/membership/topology.ts';
import { Membership } from '../src/node/membership/membership.ts';
import type { MembershipSettings } from '../src/node/membership/parts.ts';
import { NO_RECORD } from './no-record.ts';
import { MachineClocks, Scheduler, SimClock } from './scheduler.ts';
import type { Life } from './scheduler.ts';

export const SETTINGS: MembershipSettings = {
  replicaCount: 3,
  ownerCountMin: 2,
  leaseMs: 600,
  clockDrift: 0.01,
  healAfterMs: 0,
  heartbeatMs: 100,
  suspectAfterMs: 500,
  linkGraceMs: 50,
  splitAfterMs: 1_000,
  slowAfterMs: 50,
  coldStartGraceMs: 2_000,
  stopTimeoutMs: 2_000,
};

const TICK_MS = 20;
const CHECK_MS = 10;
/** A few slots of each row, as long as rows are not split up. */
const SLOTS_LOOKED_AT = Array.from({ length: 16 }, (_, index) => index * (SLOT_COUNT / 16) + 7 * index);

export interface Process {
  readonly membership: Membership;
  readonly life: Life;
  readonly clock: SimClock;
}

export interface SimMember {
  readonly name: string;
  disk: Map<string, Uint8Array>;
  process: Process | null;
  /** Set by a wipe, until the cluster has admitted the member again. */
  wiped: boolean;
  readonly rate: number;
}

interface Link {
  up: boolean;
  /** Incremented each time the link breaks, which loses everything under way. */
  generation: number;
  arrivesAt: number;
}

export class MembershipWorld {
  readonly scheduler = new Scheduler();
  readonly random: Prng;
  readonly members: SimMember[] = [];
  readonly violations: string[] = [];
  /** Directed pairs "a>b" over which nothing passes. */
  readonly blocked = new Set<string>();
  delayMsMax = 4;
  /** No link is blocked any more, whatever was planned before. */
  faultsOver = false;
  /** Called whenever a process has adopted a topology; scenarios strike here. */
  onAdopted: (member: SimMember, topology: Topology) => void = () => {};
  private readonly mutations: Mutations;
  private readonly links = new Map<string, Link>();
  private readonly chosen = new Map<number, string>();

  constructor(seed: number, memberCount: number, mutations: Mutations = {}) {
    this.random = new Prng(seed);
    this.mutations = mutations;
    const drift = SETTINGS.clockDrift;
    for (let index = 0; index < memberCount; index++) {
      const rate = this.random.between(1 - drift, 1 + drift);
      this.members.push({ name: `n${index + 1}`, disk: new Map(), process: null, wiped: false, rate });
    }
    this.scheduler.after(CHECK_MS, () => this.checkOften());
  }

  start(member: SimMember): void {
    if (member.process !== null) return;
    const life: Life = { alive: true, pausedUntil: 0 };
    const clock = new SimClock(this.scheduler, life, new MachineClocks(this.scheduler, member.rate));
    const membership = this.build(member, life, clock);
    const process = { membership, life, clock };
    member.process = process;
    const tick = (): void => {
      membership.tick();
      this.scheduler.after(TICK_MS, tick, life);
    };
    this.scheduler.after(TICK_MS * this.random.next(), tick, life);
    membership.start();
    for (const other of this.members) {
      if (other === member) continue;
      this.dial(member.name, other.name);
      this.dial(other.name, member.name);
    }
  }

  kill(member: SimMember): void {
    const { process } = member;
    if (process === null) return;
    process.life.alive = false;
    member.process = null;
    for (const other of this.members) {
      if (other === member) continue;
      this.break(member.name, other.name);
      this.break(other.name, member.name);
    }
  }

  wipe(member: SimMember): void {
    this.kill(member);
    member.disk = new Map();
    member.wiped = true;
  }

  /** A pause under way is left as it is: events waiting for its end must not be overtaken. */
  pause(member: SimMember, ms: number): void {
    const life = member.process?.life;
    if (life !== undefined && life.pausedUntil <= this.scheduler.time) {
      life.pausedUntil = this.scheduler.time + ms;
    }
  }

  /** Nothing passes from one side to the other; links break when somebody notices. */
  partition(side: readonly SimMember[], bothWays: boolean): void {
    for (const a of side) {
      for (const b of this.members) {
        if (side.includes(b)) continue;
        this.block(a.name, b.name);
        if (bothWays) this.block(b.name, a.name);
      }
    }
  }

  block(from: string, to: string): void {
    if (this.faultsOver) return;
    this.blocked.add(`${from}>${to}`);
    this.scheduler.after(this.random.between(0, 800), () => {
      if (this.blocked.has(`${from}>${to}`)) this.break(from, to);
    });
  }

  heal(): void {
    const pairs = [...this.blocked];
    this.blocked.clear();
    for (const pair of pairs) {
      const [from, to] = pair.split('>') as [string, string];
      this.break(from, to);
      this.dial(from, to);
    }
  }

  run(ms: number): void {
    this.scheduler.runUntil(this.scheduler.time + ms);
  }

  /** All members are part of one epoch, are complete in all their rows, and hold a lease. */
  isWhole(): boolean {
    const epochs = new Set(this.members.map((member) => member.process?.membership.topology?.epoch ?? -1));
    return (
      epochs.size === 1 &&
      this.members.every(
        ({ process }) => process?.membership.phase === 'serving' && process.membership.leaseHeld(),
      )
    );
  }

  member(name: string): SimMember {
    return this.members.find((each) => each.name === name)!;
  }

  private build(member: SimMember, life: Life, clock: SimClock): Membership {
    const later = (ms: number, run: () => void): void => {
      this.scheduler.after(ms, run, life);
    };
    const membership: Membership = new Membership({
      self: { name: member.name, address: `${member.name}:1`, zone: '', host: member.name },
      members: this.members.map(({ name }) => ({ name, address: `${name}:1`, weight: 1 })),
      joins: null,
      ...{ dial: () => {}, forget: () => {}, onLeft: () => {}, onFatal: () => {}, coordinates: () => false },
      ...{ doors: new DoorBook(member.name), settings: SETTINGS, clock },
      random: this.random.fork(),
      ...{ telemetry: { event: () => {}, count: () => {} }, systemOfRecord: null, outageWatch: NO_RECORD },
      meta: this.metaOf(member, life),
      ...{ store: { lateMs: () => 0, isIdle: () => false }, clientDelayFactor: () => 0 },
      ...{ codec: PLAIN_CODEC, protocolMax: PROTOCOL_MAX },
      place: (members) => placeRows(members),
      send: (to, message) => this.send(member.name, to, membership.header(), message),
      onTopology: (topology) => {
        if (membership.leaseHeld()) this.violate(`${member.name} has the lease before the epoch's slots`);
        later(0, () => this.onTopology(member, membership, topology));
      },
      ...{ onPhase: () => {}, mutations: this.mutations },
    });
    return membership;
  }

  private metaOf(member: SimMember, life: Life) {
    let durableAt = 0;
    return {
      load: (key: string) => member.disk.get(key),
      raise: () => undefined,
      persist: (key: string, bytes: Uint8Array, done: (error: null) => void) => {
        const disk = member.disk;
        // Writes become durable one after another, as in a log.
        durableAt = Math.max(durableAt, this.scheduler.time) + this.random.between(0.2, 5);
        this.scheduler.at(
          durableAt,
          () => {
            disk.set(key, bytes);
            done(null);
          },
          life,
        );
      },
    };
  }

  private onTopology(member: SimMember, membership: Membership, topology: Topology): void {
    this.noteChosen(topology);
    this.onAdopted(member, topology);
    const self = memberByName(topology, member.name);
    if (self?.alive === true && self.incarnation === membership.incarnation) member.wiped = false;
    // A simplified learner: copies for a while, and asks for its promotion if the epoch is still the same.
    if (membership.phase !== 'learning') return;
    const { life } = member.process!;
    this.scheduler.after(
      this.random.between(10, 300),
      () => {
        if (membership.topology === topology && membership.phase === 'learning') membership.learned();
      },
      life,
    );
  }

  private link(from: string, to: string): Link {
    const key = `${from}>${to}`;
    const link = this.links.get(key) ?? { up: false, generation: 0, arrivesAt: 0 };
    this.links.set(key, link);
    return link;
  }

  private dial(from: string, to: string): void {
    this.scheduler.after(this.random.between(1, 60), () => {
      const link = this.link(from, to);
      const source = this.member(from).process;
      if (link.up || source === null || this.member(to).process === null) return;
      if (this.blocked.has(`${from}>${to}`)) return;
      link.up = true;
      link.arrivesAt = 0;
      this.scheduler.after(0, () => source.membership.onLinkUp(to, PROTOCOL_MAX), source.life);
    });
  }

  private break(from: string, to: string): void {
    const link = this.link(from, to);
    if (!link.up) return;
    link.up = false;
    link.generation += 1;
    const source = this.member(from).process;
    const target = this.member(to).process;
    this.scheduler.after(1, () => source?.membership.onLinkDown(to), source?.life ?? null);
    this.scheduler.after(1, () => target?.membership.onPeerGone(from), target?.life ?? null);
    this.dial(from, to);
  }

  private send(from: string, to: string, header: FrameHeader, message: PeerMessage): void {
    const link = this.link(from, to);
    const target = this.member(to).process;
    if (!link.up || target === null) return;
    const { generation } = link;
    link.arrivesAt = Math.max(
      link.arrivesAt,
      this.scheduler.time + this.random.between(0.2, this.delayMsMax),
    );
    this.scheduler.at(link.arrivesAt, () => {
      if (link.generation !== generation || this.blocked.has(`${from}>${to}`)) return;
      // The message has arrived: a paused process reads it when it continues, whatever becomes of the link.
      const deliver = (): void => target.membership.onMessage(from, header, message);
      this.scheduler.after(0, deliver, target.life);
    });
  }

  private noteChosen(topology: Topology): void {
    const text = plainText(topology);
    const standing = this.chosen.get(topology.epoch);
    if (standing === undefined) {
      this.chosen.set(topology.epoch, text);
      for (const row of topology.rows) {
        if (row.complete.length === 0) this.violate(`epoch ${topology.epoch}: a row without complete owners`);
      }
    } else if (standing !== text) {
      this.violate(`epoch ${topology.epoch}: two topologies`);
    }
  }

  private checkOften(): void {
    const running = this.members.filter((member) => member.process !== null);
    for (const member of running) {
      if (member.process!.membership.leaseHeld()) this.checkLease(member, running);
    }
    this.checkIncarnations(running);
    this.scheduler.after(CHECK_MS, () => this.checkOften());
  }

  /** While a process may serve, no member in a later epoch without it may believe that its lease is over. */
  private checkLease(holder: SimMember, running: readonly SimMember[]): void {
    const held = holder.process!.membership;
    const topology = held.topology!;
    const id = held.selfId;
    const served = SLOTS_LOOKED_AT.filter((slot) => rowOfSlot(topology, slot).complete.includes(id));
    if (served.length === 0) return;
    if (holder.wiped) this.violate(`${holder.name} serves from a wiped disk in epoch ${topology.epoch}`);
    for (const other of running) {
      const { membership, clock } = other.process!;
      const later = membership.topology;
      if (other === holder || later === null || later.epoch <= topology.epoch) continue;
      if (!isLiveIncarnation(later, membership.selfId, membership.incarnation)) continue;
      const isLive = isLiveIncarnation(later, id, held.incarnation);
      const now = clock.now();
      const open = served.filter((slot) => {
        const isServed = isLive && rowOfSlot(later, slot).complete.includes(id);
        return !isServed && membership.blockedUntil(slot) <= now;
      });
      if (open.length === 0) continue;
      this.violate(
        `${holder.name} holds a lease of epoch ${topology.epoch} and serves slot ${open[0]!} while ${other.name} has waited it out in ${later.epoch}`,
      );
    }
  }

  private readonly processOf = new Map<string, Process>();

  private checkIncarnations(running: readonly SimMember[]): void {
    for (const { name, process } of running) {
      const { incarnation } = process!.membership;
      if (incarnation === 0) continue;
      const key = `${name}#${incarnation}`;
      const standing = this.processOf.get(key);
      if (standing === undefined) this.processOf.set(key, process!);
      else if (standing !== process) this.violate(`${key} is used by two processes`);
    }
  }

  private violate(what: string): void {
    if (this.violations.length < 5) this.violations.push(`at ${this.scheduler.time.toFixed(1)}: ${what}`);
  }
}

/** All worlds have the same slots, so only the rest is encoded. */
function plainText(topology: Topology): string {
  return JSON.stringify({ ...topology, slotRow: 0 });
}

const PLAIN_CODEC = {
  encode: (topology: Topology) => new TextEncoder().encode(plainText(topology)),
  decode: (bytes: Uint8Array): Topology => {
    const topology = JSON.parse(new TextDecoder().decode(bytes)) as Topology;
    return { ...topology, slotRow: slotRowOf(topology.rows.length) };
  },
};

const slotRows = new Map<number, Uint16Array>();

function slotRowOf(rowCount: number): Uint16Array {
  const known = slotRows.get(rowCount);
  if (known !== undefined) return known;
  const slotRow = Uint16Array.from({ length: SLOT_COUNT }, (_, slot) =>
    Math.floor((slot * rowCount) / SLOT_COUNT),
  );
  slotRows.set(rowCount, slotRow);
  return slotRow;
}

/** One row for each run of three members in the circle of names. */
function placeRows(members: readonly Member[]): Placement {
  const ids = members.map((member) => member.id);
  const count = Math.min(3, ids.length);
  const rows = ids.map((_, first) => {
    const owners = Array.from({ length: count }, (_each, offset) => ids[(first + offset) % ids.length]!);
    return { owners, complete: owners };
  });
  return { rows, slotRow: slotRowOf(rows.length) };
}
