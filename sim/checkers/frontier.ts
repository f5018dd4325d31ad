/**
 * The points that a search still has to explore, cheapest first: one that was reached with fewer calls of unknown
 * outcome is worth more, because whatever can follow from one that spent more can follow from it, too.
 */
import { countAllSpent, type Configuration } from './configurations.ts';

export interface Reached {
  readonly configuration: Configuration;
  /** The last step was an indefinite call whose effect nobody has seen yet, so overwriting it now would waste it. */
  readonly unseen: boolean;
}

export class Frontier {
  /** By what was spent; last in first out, because the latest is furthest. */
  private readonly byCost: (Reached[] | undefined)[] = [];
  private cheapest = 0;

  push(reached: Reached): void {
    const cost = countAllSpent(reached.configuration.spent);
    const alike = this.byCost[cost];
    if (alike === undefined) this.byCost[cost] = [reached];
    else alike.push(reached);
    if (cost < this.cheapest) this.cheapest = cost;
  }

  pop(): Reached | undefined {
    for (; this.cheapest < this.byCost.length; this.cheapest += 1) {
      const reached = this.byCost[this.cheapest]?.pop();
      if (reached !== undefined) return reached;
    }
    return undefined;
  }
}
