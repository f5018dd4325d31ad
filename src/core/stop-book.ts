/**
 * Who is about to stop, as one member knows it, and its vote on that: for one at a time, and until that one is gone or its time has
 * passed. When it is gone an epoch says so, and what is missing then speaks for itself (safe-to-stop.ts). (decisions 49 and 55)
 */
import type { Coordinator } from './message.ts';
import type { Mutations } from './mutations.ts';
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

  /** A vote, repeated freely: 0, or who else is about to stop. */
  vote(asker: Coordinator, topology: Topology, now: number): number {
    const holder = this.others(asker.id, topology, now)[0];
    if (holder !== undefined) return holder;
    this.said(asker, STOP_RESERVED_MS, now);
    return 0;
  }

  /** By its own word, whoever else is: a process that was told to end ends. */
  said({ id, incarnation }: Coordinator, leftMs: number, now: number): void {
    if (leftMs <= 0) this.stopping.delete(id);
    else this.stopping.set(id, { incarnation, until: now + Math.min(leftMs, STOP_RESERVED_MS) });
  }

  /** Milliseconds that are left of it; 0: it is not about to stop. */
  leftMs(id: number, now: number): number {
    return Math.max(0, (this.stopping.get(id)?.until ?? now) - now);
  }

  /** Member ids, in order. Who is gone, or has come back since, stops no more. */
  others(selfId: number, topology: Topology, now: number): number[] {
    for (const [id, { incarnation, until }] of this.stopping)
      if (this.mutations.letAllStop === true || until <= now || !isLiveIncarnation(topology, id, incarnation))
        this.stopping.delete(id);
    return [...this.stopping.keys()].filter((id) => id !== selfId).sort((a, b) => a - b);
  }
}
