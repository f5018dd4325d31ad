/**
 * Who this process is: its disk's place in the cluster, the incarnation it uses, and whether the present epoch includes
 * it. An incarnation is used only once it is on disk. A disk that the cluster does not remember (blank, older, damaged)
 * has no id, and so no vote. (PROTOCOL R8, R11, R29)
 */
import type { Room } from '../../core/membership/disk-room.ts';
import { nextIncarnation } from '../../core/membership/incarnation.ts';
import type { Introduction, LifeName } from '../../core/membership/membership-message.ts';
import { sameLife } from '../../core/membership/register.ts';
import { isLiveIncarnation, memberByName } from '../../core/membership/topology.ts';
import type { Topology } from '../../core/membership/topology.ts';
import type { Random } from '../../ports/random.ts';
import type { StorageError } from '../../ports/storage.ts';
import type { Telemetry } from '../../ports/telemetry.ts';
import { CLUSTER_ID_DAMAGED, incarnationOf, withIncarnation, withRecorded } from './disk.ts';
import type { Identity, MembershipDisk } from './disk.ts';
import type { MembershipParts } from './parts.ts';
import { belongsSomewhere } from './peer-table.ts';
import { foundersOf } from './neighbours.ts';

/** Milliseconds between two attempts to store an incarnation. */
const STORE_PAUSE_MS = 1_000;
/**
 * Lives of the cluster that are remembered; beyond that the oldest is forgotten, and a process from it is not told what
 * became of it.
 */
const LIVES_REMEMBERED_MAX = 64;

interface Said {
  readonly identity: Identity;
  readonly mayJoin: boolean;
  readonly introduction: Introduction;
}

export class MembershipSelf {
  readonly name: string;
  identity: Identity;
  /** Part of the present epoch under this very incarnation. */
  live = false;
  /** The incarnation in use; 0 before the first is on disk. */
  incarnation = 0;
  private readonly disk: MembershipDisk;
  private readonly random: Random;
  private readonly telemetry: Telemetry;
  private storing: 'no' | 'needed' | 'under way' = 'needed';
  private storedAt = -Infinity;
  private said: Said | null = null;
  /**
   * The life in force according to PostgreSQL, if it is later than this disk's. `isOurs`: it descends from this disk's
   * life. If PostgreSQL holds the earlier life again, that does not undo this: one of the two has lost something, and a
   * person decides which by restarting nodes.
   */
  later: (LifeName & { readonly isOurs: boolean }) | null = null;

  constructor(name: string, identity: Identity, disk: MembershipDisk, random: Random, telemetry: Telemetry) {
    this.name = name;
    this.identity = identity;
    this.disk = disk;
    this.random = random;
    this.telemetry = telemetry;
  }

  /** The store replaced a damaged one, and no member has yet told it where it belongs. */
  get isInDoubt(): boolean {
    return this.identity.clusterId === CLUSTER_ID_DAMAGED;
  }

  /** The incarnation is used up, or there is none yet: nothing may be proposed under it. */
  get isRenewing(): boolean {
    return this.storing !== 'no';
  }

  /** Continues under the last process's number, which rule R11 forbids; for tests. */
  continueLast(): boolean {
    this.incarnation = incarnationOf(this.identity);
    if (this.incarnation > 0) this.storing = 'no';
    return this.incarnation > 0;
  }

  /** Calls `done` when a new incarnation is in use. If the disk fails, `tick` tries again. */
  renew(now: number, done: () => void): void {
    this.storing = 'under way';
    this.storedAt = now;
    const incarnation = nextIncarnation(incarnationOf(this.identity), this.random.next());
    this.identity = withIncarnation(this.identity, incarnation);
    this.disk.saveIdentity(this.identity, (error) => {
      if (error !== null) {
        this.storing = 'needed';
        return this.reportFailure(error);
      }
      this.storing = 'no';
      this.incarnation = incarnation;
      done();
    });
  }

  tick(now: number, done: () => void): void {
    if (this.storing === 'needed' && now - this.storedAt >= STORE_PAUSE_MS) this.renew(now, done);
  }

  /** Determines what this process is in the topology: part of the epoch, the known disk coming back, or a stranger. */
  judge(topology: Topology): void {
    const { clusterId, life } = topology;
    const member = memberByName(topology, this.name);
    const remembered = member !== undefined && this.identity.incarnations.includes(member.incarnation);
    if (member !== undefined && !remembered && this.identity.id > 0) {
      this.telemetry.event('error', 'membership.disk.older', { id: this.identity.id });
    }
    const ancestors = this.isForeign(topology) ? this.lineage : this.identity.ancestors;
    this.identity = { ...this.identity, clusterId, life, ancestors, id: remembered ? member.id : 0 };
    if (remembered) this.identity = withRecorded(this.identity, member.incarnation);
    this.live = remembered && !this.isOver && isLiveIncarnation(topology, member.id, this.incarnation);
    this.disk.saveIdentity(this.identity, (error) => {
      if (error !== null) this.reportFailure(error);
    });
  }

  /** The life of this disk is over: a later one is in force. (lives.ts) */
  get isOver(): boolean {
    return this.later !== null && this.identity.life < this.later.life;
  }

  /** True if this life is in force and descends from that of this disk. */
  isInForce(life: LifeName): boolean {
    return this.later?.isOurs === true && sameLife(this.later, life);
  }

  /** This process takes part in nothing any more. Returns false if that was known. */
  endLife({ clusterId, life }: LifeName, isOurs: boolean): boolean {
    const { later } = this;
    this.later = { clusterId, life, isOurs };
    this.live = false;
    return later === null || later.isOurs !== isOurs || !sameLife(later, this.later);
  }

  /** The lives of the cluster up to that of this disk. */
  get lineage(): readonly LifeName[] {
    const { ancestors, clusterId, life } = this.identity;
    return [...ancestors, { clusterId, life }].slice(-LIVES_REMEMBERED_MAX);
  }

  /** True if a peer's topology is not for this disk. Of a later life in force, it hears through a succession. */
  refuses(topology: Topology): boolean {
    if (this.isForeign(topology)) {
      this.telemetry.event('error', 'membership.foreign', { clusterId: topology.clusterId });
      return true;
    }
    return this.isOver;
  }

  /**
   * True if the members that know this one no longer count it as a member. Members that began another life may never
   * have heard of it.
   */
  isDropped(previous: Topology | null, next: Topology): boolean {
    const isInLife = previous !== null && sameLife(previous, next);
    return isInLife && memberByName(next, this.name) === undefined;
  }

  /** A topology of another cluster, or of another life of ours. */
  isForeign(topology: Topology): boolean {
    return belongsSomewhere(this.identity.clusterId) && !sameLife(topology, this.identity);
  }

  /** An incarnation that was removed from the epoch cannot come back: admission requires a new one. (R11) */
  isSpent(topology: Topology): boolean {
    return !this.live && memberByName(topology, this.name)?.incarnation === this.incarnation;
  }

  /** What this process says about itself; `epoch` is the highest that it knows to be chosen. */
  introduction(parts: MembershipParts, epoch: number, mayJoin: boolean, room: Room): Introduction {
    const { identity, incarnation, live, said } = this;
    // Needed on every tick, and usually the same as before.
    if (
      said === null ||
      said.identity !== identity ||
      said.mayJoin !== mayJoin ||
      said.introduction.incarnation !== incarnation ||
      said.introduction.epoch !== epoch ||
      said.introduction.room !== room ||
      (said.introduction.state === 'serving') !== live
    )
      this.said = { identity, mayJoin, introduction: this.introduce(parts, epoch, mayJoin, room) };
    return this.said!.introduction;
  }

  private introduce(parts: MembershipParts, epoch: number, mayJoin: boolean, room: Room): Introduction {
    const { clusterId, life, id } = this.identity;
    const { joins, self } = parts;
    const own = parts.members.find((member) => member.name === this.name);
    const state = this.live ? 'serving' : id === 0 ? 'blank' : 'entering';
    return {
      kind: 'introduction',
      ...self,
      incarnation: this.incarnation,
      id,
      clusterId,
      life,
      state,
      epoch,
      weight: joins?.weight ?? own?.weight ?? 1,
      joins: joins !== null && mayJoin && !this.live,
      replaces: joins?.replaces ?? '',
      founders: epoch === 0 ? foundersOf(parts) : '',
      room,
      protocol: parts.protocolMax,
      doors: parts.doors.own,
    };
  }

  private reportFailure(error: StorageError): void {
    this.telemetry.event('error', 'membership.store.failed', { reason: error.message });
  }
}
