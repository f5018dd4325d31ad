/** Says where a peer is ahead as plainly as where it is behind. */
import { median } from '../statistics.ts';
import { titleOf } from './cells.ts';
import type { Comparison } from './comparison.ts';
import type { Contender } from './contender.ts';
import { ratioOf } from './ratio.ts';
import type { Ratio } from './ratio.ts';

export interface Lead {
  readonly peer: string;
  /** Workloads in which it did more than Causeway with PostgreSQL, by the median of the pairs; and out of how many. */
  readonly ahead: readonly { readonly title: string; readonly ratio: Ratio }[];
  readonly of: number;
  /** The median multiple of Causeway's rate over workloads of one kind; undefined if none was run. */
  readonly reads: number | undefined;
  readonly writes: number | undefined;
}

export function leadsOf({ cells }: Comparison, contenders: readonly Contender[]): Lead[] {
  const peers = contenders.filter(({ id }) => id !== 'causeway' && id !== 'causeway-disks');
  return peers.map(({ id, system }) => {
    const ratios = cells.flatMap(({ cell, samples }) => {
      const rates = (of: typeof id): number[] => (samples.get(of) ?? []).map(({ rate }) => rate);
      const ratio = ratioOf(rates(id), rates('causeway'));
      return ratio === undefined ? [] : [{ cell, title: titleOf(cell), ratio }];
    });
    const middle = (share: number): number | undefined => {
      const of = ratios.filter(({ cell }) => cell.readShare === share);
      return of.length === 0 ? undefined : median(of.map(({ ratio }) => ratio.median));
    };
    return {
      peer: system.name,
      ahead: ratios
        .filter(({ ratio }) => ratio.median > 1)
        .map(({ title, ratio }) => ({ title, ratio }))
        .sort((one, other) => other.ratio.median - one.ratio.median),
      of: ratios.length,
      reads: middle(1),
      writes: middle(0),
    };
  });
}
