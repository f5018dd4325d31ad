/**
 * Shares the slots out before an attempt to say so in the register begins, a piece with each tick: all at once takes a tenth
 * of a second, several times that on a machine whose processors are busy, and a member that serves would answer nobody
 * meanwhile. What was worked out counts for the very topology that it was worked out for; for another it is done anew.
 */
import { destinations } from '../core/slot-moves.ts';
import type { Place, Placement } from '../core/topology-change.ts';
import { placeable } from '../core/topology.ts';
import type { Topology } from '../core/topology.ts';

export class ShareAhead {
  private readonly place: Place;
  private topology: Topology | null = null;
  private work: Generator<undefined, Placement, void> | null = null;
  private table: Placement | null = null;

  constructor(place: Place) {
    this.place = place;
  }

  /** One piece more. True: all is done for this topology, or pieces there are none. */
  proceed(topology: Topology): boolean {
    const { inPieces } = this.place;
    if (inPieces === undefined) return true;
    if (this.topology !== topology) {
      this.topology = topology;
      this.table = null;
      this.work = inPieces(placeable(topology), destinations(topology));
    }
    if (this.work === null) return true;
    const { done, value } = this.work.next();
    if (done !== true) return false;
    this.table = value;
    this.work = null;
    return true;
  }

  /** How the slots of this topology are shared out. */
  placeFor(topology: Topology): Place {
    const { table } = this;
    return table !== null && this.topology === topology ? () => table : this.place;
  }
}
