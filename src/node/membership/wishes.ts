/** What operators ask of the cluster through this node: each wish is proposed until an epoch fulfils it. */
import { markLeaving, rebalance } from '../../core/membership/housekeeping.ts';
import type { Mutations } from '../../core/mutations.ts';
import { raiseProtocol } from '../../core/membership/protocol-versions.ts';
import type { SpokenBy } from '../../core/membership/protocol-versions.ts';
import { adoptServer } from '../../core/system-of-record/record-adoption.ts';
import type { ClaimedServer } from '../../core/system-of-record/record-adoption.ts';
import { giveUp } from '../../core/lives/recovery.ts';
import type { Place } from '../../core/membership/topology-change.ts';
import type { Topology } from '../../core/membership/topology.ts';
import type { RecordNews } from './record-news.ts';

export type Wish =
  | { readonly kind: 'leave'; readonly name: string }
  | { readonly kind: 'rebalance' }
  /** Puts in force the highest protocol version that all members speak. */
  | { readonly kind: 'raiseProtocol' }
  /** `slotCount`: the number of lost slots that the operator was shown. */
  | { readonly kind: 'giveUp'; readonly slotCount: number }
  /** Adopts another PostgreSQL, which this node sees. */
  | { readonly kind: 'adopt'; readonly claimed: ClaimedServer };

export interface WishParts {
  readonly place: Place;
  readonly recordNews: RecordNews;
  readonly spoken: () => SpokenBy;
  readonly mutations: Mutations;
}

export class Wishes {
  private readonly parts: WishParts;
  private readonly open: Wish[] = [];

  constructor(parts: WishParts) {
    this.parts = parts;
  }

  add(wish: Wish): void {
    this.open.push(wish);
  }

  /** False once an epoch has fulfilled the wish, or it could no longer be fulfilled. */
  isOpen(wish: Wish): boolean {
    return this.open.includes(wish);
  }

  /** The change that the oldest open wish asks for. A wish that would change nothing is dropped. */
  change(base: Topology): Topology | null {
    for (let wish = this.open[0]; wish !== undefined; wish = this.open[0]) {
      const next = this.fulfilled(wish, base);
      if (next !== null) return next;
      this.open.shift();
    }
    return null;
  }

  private fulfilled(wish: Wish, base: Topology): Topology | null {
    const { place, recordNews, spoken, mutations } = this.parts;
    switch (wish.kind) {
      case 'leave':
        return markLeaving(base, wish.name);
      case 'rebalance':
        return rebalance(base, place);
      case 'raiseProtocol':
        return raiseProtocol(base, spoken(), mutations);
      case 'giveUp':
        return giveUp(base, wish.slotCount, place);
      case 'adopt':
        return adoptServer(base, wish.claimed, recordNews.facts(base).seen, mutations);
    }
  }
}
