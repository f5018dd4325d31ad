/**
 * What a nearly full disk means for a node's place in the cluster. The node withdraws from writes, waits until what it
 * coordinates is finished, and proposes the epoch without it; or, if the others cannot do without it, it stays, and
 * lets no write start that it would have to store. (PROTOCOL R18, R32)
 */
import { canDoWithout } from '../../core/membership/disk-room.ts';
import type { Room } from '../../core/membership/disk-room.ts';
import { DISK_RETREAT_MS_MAX } from '../../core/limits.ts';
import type { Mutations } from '../../core/mutations.ts';
import type { Suspicion } from '../../core/membership/suspicion.ts';
import type { Topology } from '../../core/membership/topology.ts';
import type { PeerTable } from './peer-table.ts';
import type { MembershipSelf } from './self.ts';

export class RoomOnDisk {
  /** The state reported to the others. */
  room: Room = 'enough';
  /** This node is withdrawing: requests go to the others. */
  retreats = false;
  /** Everything begun here has finished, or was waited for long enough: the epoch may come. */
  isReadyToGo = false;
  /** Ids of members that writes need and that have no room for one. */
  refusing: ReadonlySet<number> = new Set();
  private readonly coordinates: () => boolean;
  private readonly suspicion: Suspicion;
  private readonly peers: PeerTable;
  private readonly mutations: Mutations;
  private isLow = false;
  private retreatsSince = 0;

  /** `coordinates`: whether a client still waits for a write that this node coordinates. */
  constructor(coordinates: () => boolean, suspicion: Suspicion, peers: PeerTable, mutations: Mutations) {
    this.coordinates = coordinates;
    this.suspicion = suspicion;
    this.peers = peers;
    this.mutations = mutations;
  }

  saw(isLow: boolean): void {
    this.isLow = isLow && this.mutations.ignoreFullDisk !== true;
  }

  /** Returns true if the reported state has changed. */
  tick(now: number, topology: Topology | null, self: MembershipSelf): boolean {
    const before = this.room;
    if (!this.isLow && before === 'enough') return false;
    this.room = this.isLow ? this.roomWithin(topology, self, now) : 'enough';
    const retreats = this.room === 'low' && self.live;
    if (retreats && !this.retreats) this.retreatsSince = now;
    this.retreats = retreats;
    this.isReadyToGo = retreats && (now - this.retreatsSince >= DISK_RETREAT_MS_MAX || !this.coordinates());
    if (this.room === before) return false;
    this.hear(self.identity.id);
    return true;
  }

  /**
   * Takes in what the others report of their disks, and this node of its own. A member that is not part of the epoch
   * does not matter.
   */
  hear(selfId: number): void {
    const refusing = this.room === 'refusing' ? [selfId] : [];
    for (const { room, id } of this.peers.introductions.values()) if (room === 'refusing') refusing.push(id);
    if (refusing.length > 0 || this.refusing.size > 0) this.refusing = new Set(refusing);
  }

  private roomWithin(topology: Topology | null, { live, identity }: MembershipSelf, now: number): Room {
    if (topology === null || !live) return 'low';
    const isUp = (name: string): boolean => this.suspicion.isPresent(name, now);
    return canDoWithout(topology, identity.id, isUp) ? 'low' : 'refusing';
  }
}
