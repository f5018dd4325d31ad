/**
 * Keeps this process's replica. An epoch makes the process the same member as before, a new one, or none. What a
 * replica that ends had in flight is kept as such, and from then on everything on the disk is in doubt. (PROTOCOL R11,
 * R12, R19)
 */
import type { Mutations } from '../core/mutations.ts';
import type { ReplicaEffects } from '../core/replication/context.ts';
import { Replica } from '../core/replication/replica.ts';
import { SlotView } from '../core/replication/slot-view.ts';
import type { LastLease } from '../core/clients/stale.ts';
import { isLiveIncarnation } from '../core/membership/topology.ts';
import type { Topology } from '../core/membership/topology.ts';
import type { FloorStore } from './store/floor-store.ts';
import type { Learner } from './learning/learner.ts';
import type { Membership } from './membership/membership.ts';
import type { OperationTable } from './store/operation-table.ts';
import type { RecordShelf } from './store/record-shelf.ts';
import type { SlotHolding } from './slot-holding.ts';
import type { LeftInFlight } from './store/left-in-flight.ts';

export interface KeeperParts {
  readonly mutations: Mutations;
  readonly membership: Membership;
  readonly leftInFlight: LeftInFlight;
  readonly holding: SlotHolding;
  readonly lastLease: LastLease;
  readonly shelf: RecordShelf;
  readonly floors: FloorStore;
  readonly operations: OperationTable;
  readonly learner: Learner;
  readonly effects: ReplicaEffects;
  /** The highest version on this disk at the start. */
  readonly versionHighest: number;
  /** The replica acts in a new epoch: nothing found out under the previous one counts. */
  readonly onEpoch: () => void;
}

export class ReplicaKeeper {
  /** Null while this process is not a live member. */
  replica: Replica | null = null;
  private readonly parts: KeeperParts;
  private incarnation = 0;
  /** At the last tick, in this epoch. */
  private leaseWasHeld = false;

  constructor(parts: KeeperParts) {
    this.parts = parts;
  }

  onTopology(next: Topology, previous: Topology | null): void {
    const { membership, mutations, effects, holding, shelf, floors } = this.parts;
    const { selfId, incarnation } = membership;
    if (mutations.recoverSuperseded !== true) {
      const lifeFirst = membership.succession.ancestors[0]?.life ?? next.life;
      const holds = (slot: number): boolean => shelf.digests.countOf(slot) > 0;
      shelf.superseded.onTopology(next, previous, { selfId, lifeFirst, holds });
    }
    floors.forgotten.onTopology(next, previous, selfId, (slot) => shelf.isVerified(slot));
    if (!isLiveIncarnation(next, selfId, incarnation)) return this.abandon();
    const view = new SlotView(next, selfId);
    if (this.replica === null || this.incarnation !== incarnation) {
      this.abandon();
      this.replica = new Replica(effects, mutations, { id: selfId, incarnation }, view);
      this.replica.sawVersion(this.parts.versionHighest);
      holding.onTopology(view, this.replica, true);
      this.incarnation = incarnation;
    } else {
      holding.onTopology(view, this.replica, previous?.epoch === next.epoch - 1);
      this.replica.onEpoch(view);
    }
    this.leaseWasHeld = false;
    this.parts.onEpoch();
    this.parts.learner.onTopology(view, this.replica);
  }

  /** Finishes what no living process drives any more, whenever a lease begins. (R13) */
  tick(replica: Replica, leaseHeld: boolean): void {
    if (leaseHeld && !this.leaseWasHeld) replica.replayAll();
    this.leaseWasHeld = leaseHeld;
  }

  private abandon(): void {
    if (this.replica === null) return;
    for (const state of this.replica.abandon()) this.parts.leftInFlight.keep(state);
    this.replica = null;
    this.parts.learner.end();
    this.parts.lastLease.forget();
    this.parts.holding.onNone();
    this.parts.shelf.doubtAll();
    this.parts.operations.doubtAll();
  }
}
