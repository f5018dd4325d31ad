/** Sharing slots out in pieces gives the same table as at once, and only for the topology it was computed for. */
import { expect, test } from 'vitest';
import { founded } from '../../../test/support/founded.ts';
import { hash32 } from '../../../test/support/hash32.ts';
import { doChore, markLeaving } from '../../core/membership/housekeeping.ts';
import { placeSlots, placing, rowsOf } from '../../core/placement/slot-table.ts';
import type { PlacementInput } from '../../core/placement/slot-table.ts';
import type { Place } from '../../core/membership/topology-change.ts';
import type { Topology } from '../../core/membership/topology.ts';
import { ShareAhead } from './share-ahead.ts';

let atOnceCount = 0;

const inputOf = (...[members, previous]: Parameters<Place>): PlacementInput => ({
  ...{ members, previous, replicaCount: 3, hash32 },
});
const atOnce = (...of: Parameters<Place>): ReturnType<Place> => {
  atOnceCount += 1;
  return rowsOf(placeSlots(inputOf(...of)));
};
const place: Place = Object.assign(atOnce, {
  *inPieces(...of: Parameters<Place>) {
    return rowsOf(yield* placing(inputOf(...of)));
  },
});

/** The number of calls it takes. */
function worked(ahead: ShareAhead, topology: Topology): number {
  for (let pieces = 1; ; pieces += 1) if (ahead.proceed(topology)) return pieces;
}

test('the pieces give the same result as one computation, and it is not computed again for the proposal', () => {
  const topology = markLeaving(founded(5), 'node-2')!;
  const expected = doChore(topology, { kind: 'share' }, place)!;
  const ahead = new ShareAhead(place);
  expect(worked(ahead, topology)).toBeGreaterThan(5);
  expect(ahead.proceed(topology)).toBe(true);
  atOnceCount = 0;
  expect(doChore(topology, { kind: 'share' }, ahead.placeFor(topology))).toEqual(expected);
  expect(atOnceCount).toBe(0);
});

test('the topology changes meanwhile: nothing of before counts, and it begins anew', () => {
  const before = markLeaving(founded(5), 'node-2')!;
  const after = markLeaving({ ...before, epoch: before.epoch + 1 }, 'node-4')!;
  const ahead = new ShareAhead(place);
  worked(ahead, before);
  expect(ahead.placeFor(after)).toBe(place);
  expect(ahead.proceed(after)).toBe(false);
  expect(ahead.placeFor(before)).toBe(place);
  worked(ahead, after);
  const table = doChore(after, { kind: 'share' }, ahead.placeFor(after))!;
  expect(table).toEqual(doChore(after, { kind: 'share' }, place));
  const leaving = new Set(after.members.filter(({ standing }) => standing === 'leaving').map(({ id }) => id));
  expect(leaving.size).toBe(2);
  expect(table.rows.some(({ coming, owners }) => (coming ?? owners).some((id) => leaving.has(id)))).toBe(
    false,
  );
});

test('where there are no pieces it is due at once', () => {
  const plain: Place = (...of) => place(...of);
  const ahead = new ShareAhead(plain);
  const topology = founded(3);
  expect(ahead.proceed(topology)).toBe(true);
  expect(ahead.placeFor(topology)).toBe(plain);
});
