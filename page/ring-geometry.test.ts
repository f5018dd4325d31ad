/** The picture of the ring: nothing is left out, equal owners are adjacent, and what is pointed at is what is shown. */
import { expect, test } from 'vitest';
import type { LiveHolderState, LiveRing } from '../src/servers/http/live-shape.ts';
import {
  arcsOf,
  decodeSlots,
  groupAt,
  groupsOf,
  labelsOf,
  rangesOf,
  slotsServedBy,
  sector,
  tracksOf,
  turnOf,
  unservedPath,
} from './ring-geometry.ts';

const row = (
  slotCount: number,
  ...holders: (number | [number, LiveHolderState])[]
): LiveRing['rows'][number] => ({
  slotCount,
  holders: holders.map((one) =>
    typeof one === 'number' ? { member: one, state: 'serving' } : { member: one[0], state: one[1] },
  ),
});
const ROWS = [row(4_096, 1, 2, 0), row(8_192, 0, 1, 2), row(2_048, 0, 2, 1), row(2_048, 2, 0, 1)];

test('groups: sorted by their owners, together the whole circle', () => {
  const groups = groupsOf({ rows: ROWS });
  expect(groups.map(({ row: at }) => at)).toEqual([1, 2, 0, 3]);
  expect(groups[0]!.from).toBe(0);
  expect(groups.at(-1)!.to).toBe(1);
  expect(groups.map(({ from, to }) => to - from)).toEqual([0.5, 0.125, 0.25, 0.125]);
});

test('arcs: neighbours with the same owner are one piece, and each member one path in a track', () => {
  const groups = groupsOf({ rows: ROWS });
  const arcs = arcsOf(groups, tracksOf(groups));
  const outer = arcs.filter(({ track }) => track === 0);
  expect(outer.map(({ member, path }) => [member, path.split('M').length - 1])).toEqual([
    [0, 1],
    [1, 1],
    [2, 1],
  ]);
  const innermost = arcs.filter(({ track, member }) => track === 2 && member === 1);
  expect(innermost[0]!.path.split('M')).toHaveLength(3);
});

test('what a member has: neither what it copies, nor what it had before it went down, nor what it is to own', () => {
  const groups = groupsOf({
    rows: [row(10, 0, [1, 'down'], [2, 'learning']), row(5, [1, 'retiring'], 0, [2, 'waiting'])],
  });
  expect([0, 1, 2].map((member) => slotsServedBy(groups, member))).toEqual([15, 5, 0]);
});

test('an owner that learns beside three others: a track of its own', () => {
  const groups = groupsOf({ rows: [...ROWS, row(1, 0, 1, 2, [3, 'learning'])] });
  const tracks = tracksOf(groups);
  expect(tracks).toHaveLength(4);
  expect(
    tracks.every(({ inner, outer }, at) => inner < outer && outer <= (tracks[at - 1]?.inner ?? 1e3)),
  ).toBe(true);
  expect(arcsOf(groups, tracks).filter(({ track }) => track === 3)).toMatchObject([
    { member: 3, state: 'learning' },
  ]);
});

test('slots that nobody serves: marked; those that one member still serves: not', () => {
  const down = row(10, [0, 'down'], [1, 'learning']);
  expect(unservedPath(groupsOf({ rows: ROWS }))).toBe('');
  expect(unservedPath(groupsOf({ rows: [...ROWS, down] }))).not.toBe('');
  expect(unservedPath(groupsOf({ rows: [row(10, [0, 'down'], [1, 'retiring'])] }))).toBe('');
});

test('pointing: the top is the first group, and each place belongs to the group that is drawn there', () => {
  const groups = groupsOf({ rows: ROWS });
  expect(turnOf(0, -10)).toBe(0);
  expect(turnOf(10, 0)).toBe(0.25);
  expect(turnOf(-10, 0)).toBe(0.75);
  for (const [at, { from, to }] of groups.entries()) expect(groupAt(groups, (from + to) / 2)).toBe(at);
  expect(groupAt(groups, 1)).toBe(3);
});

test('labels: in the middle of what a member is the first owner of', () => {
  expect(labelsOf(groupsOf({ rows: ROWS }))).toEqual([
    { member: 0, at: 0.3125, share: 0.625 },
    { member: 1, at: 0.75, share: 0.25 },
    { member: 2, at: 0.9375, share: 0.125 },
  ]);
});

test('one owner of everything: a whole circle, not an empty path', () => {
  expect(sector({ inner: 1, outer: 2 }, 0, 1).split('M')).toHaveLength(3);
});

test('slots: decoded as they were packed, and told as ranges', () => {
  const slots = decodeSlots(
    Buffer.from(new Uint16Array([0, 0, 300, 0, 300, 300, 300]).buffer).toString('base64'),
  );
  expect([...slots]).toEqual([0, 0, 300, 0, 300, 300, 300]);
  expect(rangesOf(slots, 300, 5)).toEqual({ text: '2, 4–6', hasMore: false });
  expect(rangesOf(slots, 0, 1)).toEqual({ text: '0–1', hasMore: true });
});
