/**
 * One member's record of who is about to stop, and its vote on that: for one member at a time, until that member is
 * gone or its time has passed. Once it is gone an epoch says so, and what is then missing is visible in the topology
 * (safe-to-stop.ts). (decisions 49 and 55)
 */
import type { Coordinator } from '../message.ts';
import type { Mutations } from '../mutations.ts';
import { STOP_RESERVED_MS } from './stop-limits.ts';
import { isLiveIncarnation } from './topology.ts';
import type { Topology } from './topology.ts';

export class StopBook {
  private readonly mutations: Mutations;
  /** By member id. */
  private readonly stopping = new Map<number, { readonly incarnation: number; readonly until: number }>();

  constructor(mutations: Mutations) {
    this.mutations = mutations;
  }

  /**
   * Votes on a request to stop; may be repeated freely. Returns 0 for yes, or the id of another member that is about to
   * stop.
   */
  vote(asker: Coordinator, topology: Topology, now: number): number {
    const holder = this.others(asker.id, topology, now)[0];
    if (holder !== undefined) return holder;
    this.said(asker, STOP_RESERVED_MS, now);
    return 0;
  }

  /** Notes a member's announcement that it stops, whoever else does: a process that was told to end will end. */
  said({ id, incarnation }: Coordinator, leftMs: number, now: number): void {
    if (leftMs <= 0) this.stopping.delete(id);
    else this.stopping.set(id, { incarnation, until: now + Math.min(leftMs, STOP_RESERVED_MS) });
  }

  /** Milliseconds left of the member's announcement; 0 if it is not about to stop. */
  leftMs(id: number, now: number): number {
    return Math.max(0, (this.stopping.get(id)?.until ?? now) - now);
  }

  /**
   * Ids of the others that are about to stop, ascending. A member that is gone, or has come back since, is not among
   * them.
   */
  others(selfId: number, topology: Topology, now: number): number[] {
    for (const [id, { incarnation, until }] of this.stopping)
      if (this.mutations.letAllStop === true || until <= now || !isLiveIncarnation(topology, id, incarnation))
        this.stopping.delete(id);
    return [...this.stopping.keys()].filter((id) => id !== selfId).sort((a, b) => a - b);
  }
}
