/**
 * What an operator must know before lost slots are given up: which they are, who held them, and what PostgreSQL and
 * this disk have of them. (DESIGN 3)
 */
import { LOSS_PAGES_COUNTED_MAX } from '../../core/limits.ts';
import { lossOf } from '../../core/lives/recovery.ts';
import type { Topology } from '../../core/membership/topology.ts';
import type { RecordPlace, SystemOfRecord } from '../../ports/system-of-record.ts';
import type { ClusterLoss } from '../cluster-orders.ts';
import type { NodeParts } from '../node-parts.ts';
import type { SlotDigests } from '../store/slot-digests.ts';

const PAGE_ROWS_MAX = 1_000;

export interface LossParts {
  readonly digests: SlotDigests;
  readonly systemOfRecord: SystemOfRecord | null;
  readonly writeThrough: NodeParts['writeThrough'];
}

export function tellLoss(parts: LossParts, topology: Topology, done: (loss: ClusterLoss) => void): void {
  const { slots, holders, recovering } = lossOf(topology);
  const known = {
    slots,
    holders: holders.map(({ id, name, slots: count }) => {
      return { name: name === '' ? `a former member (${id})` : name, slots: count, isMember: name !== '' };
    }),
    recordsHere: slots.reduce((sum, slot) => sum + parts.digests.countOf(slot), 0),
    notWrittenThrough: parts.writeThrough.filter((rule) => !rule.writeThrough).map((rule) => rule.prefix),
    recovering,
  };
  countRows(parts.systemOfRecord, slots, (count, isAll) =>
    done({ ...known, recordsKept: count, hasMoreKept: count !== null && !isAll }),
  );
}

/** Null if PostgreSQL does not answer. Reads a bounded number of pages, because most rows may belong to other slots. */
function countRows(
  record: SystemOfRecord | null,
  slots: readonly number[],
  done: (count: number | null, isAll: boolean) => void,
): void {
  if (record === null) return done(null, false);
  let count = 0;
  let next = 0;
  const ask = (place: RecordPlace, pagesLeft: number): void =>
    record.scan(place, PAGE_ROWS_MAX, (error, rows) => {
      if (error !== null) return done(null, false);
      const last = rows.at(-1);
      for (const { slot } of rows) {
        while (next < slots.length && slots[next]! < slot) next += 1;
        if (slots[next] === slot) count += 1;
      }
      if (last === undefined || next >= slots.length) return done(count, true);
      if (pagesLeft <= 1) return done(count, false);
      const isWithin = slots[next] === last.slot;
      ask(
        isWithin ? { slot: last.slot, key: last.record.key } : { slot: slots[next]!, key: '' },
        pagesLeft - 1,
      );
    });
  if (slots.length === 0) done(0, true);
  else ask({ slot: slots[0]!, key: '' }, LOSS_PAGES_COUNTED_MAX);
}
