/**
 * Who this process is: the place of its disk in the cluster, the incarnation it speaks under, and whether the
 * present epoch counts it in. An incarnation is used only once it is on disk; a disk that the cluster does not
 * remember (blank, older, damaged) has no id, and with it no vote. (PROTOCOL R8, R11, R29)
 */
import type { Room } from '../core/disk-room.ts';
import { nextIncarnation } from '../core/incarnation.ts';
import type { Introduction, LifeName } from '../core/membership-message.ts';
import { sameLife } from '../core/register.ts';
import { isLiveIncarnation, memberByName } from '../core/topology.ts';
import type { Topology } from '../core/topology.ts';
import type { Random } from '../ports/random.ts';
import type { StorageError } from '../ports/storage.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import { CLUSTER_ID_DAMAGED, incarnationOf, withIncarnation, withRecorded } from './membership-disk.ts';
import type { Identity, MembershipDisk } from './membership-disk.ts';
import type { MembershipParts } from './membership-parts.ts';
import { belongsSomewhere } from './membership-peers.ts';
import { foundersOf } from './neighbours.ts';

/** Milliseconds between two tries to store an incarnation. */
const STORE_PAUSE_MS = 1_000;
/** Lives of the cluster beyond which the oldest is forgotten: who comes from it is not told what became of it. */
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
  /** The incarnation in force, 0 before the first is on disk. */
  incarnation = 0;
  private readonly disk: MembershipDisk;
  private readonly random: Random;
  private readonly telemetry: Telemetry;
  private storing: 'no' | 'needed' | 'under way' = 'needed';
  private storedAt = -Infinity;
  private said: Said | null = null;
  /**
   * The life in force by PostgreSQL's word, where it was one after this disk's; `isOurs`: and came of it. That PostgreSQL holds the
   * earlier one again does not undo it: one of the two has lost something, and a person says which by starting nodes anew.
   */
  later: (LifeName & { readonly isOurs: boolean }) | null = null;

  constructor(name: string, identity: Identity, disk: MembershipDisk, random: Random, telemetry: Telemetry) {
    this.name = name;
    this.identity = identity;
    this.disk = disk;
    this.random = random;
    this.telemetry = telemetry;
  }

  /** Its store took the place of a damaged one, and nobody has told it yet where it belongs. */
  get isInDoubt(): boolean {
    return this.identity.clusterId === CLUSTER_ID_DAMAGED;
  }

  /** The incarnation in force is spent, or there is none: nothing may be proposed under it. */
  get isRenewing(): boolean {
    return this.storing !== 'no';
  }

  /** The last process's number, unchanged: what rule R11 forbids. */
  continueLast(): boolean {
    this.incarnation = incarnationOf(this.identity);
    if (this.incarnation > 0) this.storing = 'no';
    return this.incarnation > 0;
  }

  /** `done` when a new incarnation is in force; after a failure of the disk `tick` tries again. */
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

  /** What is this process in the topology: part of the epoch, the known disk coming back, or a stranger? */
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

  /** The life that this disk belongs to is over: a later one is in force. (lives.ts) */
  get isOver(): boolean {
    return this.later !== null && this.identity.life < this.later.life;
  }

  /** And came of the one that this disk belongs to. */
  isInForce(life: LifeName): boolean {
    return this.later?.isOurs === true && sameLife(this.later, life);
  }

  /** This process is part of nothing any more. False: that was known. */
  endLife({ clusterId, life }: LifeName, isOurs: boolean): boolean {
    const { later } = this;
    this.later = { clusterId, life, isOurs };
    this.live = false;
    return later === null || later.isOurs !== isOurs || !sameLife(later, this.later);
  }

  /** The lives of the cluster up to the one that this disk belongs to. */
  get lineage(): readonly LifeName[] {
    const { ancestors, clusterId, life } = this.identity;
    return [...ancestors, { clusterId, life }].slice(-LIVES_REMEMBERED_MAX);
  }

  /** A peer's news that is not for this disk. Of a later life that is in force it hears as of a succession. */
  refuses(topology: Topology): boolean {
    if (this.isForeign(topology)) {
      this.telemetry.event('error', 'membership.foreign', { clusterId: topology.clusterId });
      return true;
    }
    return this.isOver;
  }

  /** Is it no member any more, by those who know it? Those who began another life may never have heard of it. */
  isDropped(previous: Topology | null, next: Topology): boolean {
    const isInLife = previous !== null && sameLife(previous, next);
    return isInLife && memberByName(next, this.name) === undefined;
  }

  /** A topology of another cluster, or of another life of ours. */
  isForeign(topology: Topology): boolean {
    return belongsSomewhere(this.identity.clusterId) && !sameLife(topology, this.identity);
  }

  /** Once out of the epoch an incarnation cannot come back: it takes a new one to be admitted. (R11) */
  isSpent(topology: Topology): boolean {
    return !this.live && memberByName(topology, this.name)?.incarnation === this.incarnation;
  }

  /** What this process says about itself; `epoch` is the highest that it knows to be chosen. */
  introduction(parts: MembershipParts, epoch: number, mayJoin: boolean, room: Room): Introduction {
    const { identity, incarnation, live, said } = this;
    // Asked for with every tick, and mostly the same as before.
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
