/**
 * Computes how slots are shared out before an attempt to propose it in the register begins, one piece per tick. All at
 * once takes a tenth of a second, or several times that on a busy machine, and a serving member would answer nobody
 * meanwhile. The result is valid only for the very topology it was computed for; for another it is computed again.
 */
import { destinations } from '../../core/placement/slot-moves.ts';
import type { Place, Placement } from '../../core/membership/topology-change.ts';
import { placeable } from '../../core/membership/topology.ts';
import type { Topology } from '../../core/membership/topology.ts';

export class ShareAhead {
  private readonly place: Place;
  private topology: Topology | null = null;
  private work: Generator<undefined, Placement, void> | null = null;
  private table: Placement | null = null;

  constructor(place: Place) {
    this.place = place;
  }

  /** Computes one more piece. Returns true if the result for this topology is complete, or there are no pieces. */
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
