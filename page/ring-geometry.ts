/**
 * The ring as a picture: all slots once around the circle, those with the same owners side by side, and a track for
 * each place among the owners, with the first owner outside. Slots are not in numeric order: consistent hashing
 * scatters them, and 16,384 stripes would be of no use.
 */
import type { LiveHolderState, LiveRing } from '../src/servers/http/live-shape.ts';

export type Holder = LiveRing['rows'][number]['holders'][number];

/** Slots with the same owners in the same states. `from` and `to` are fractions of a turn. */
export interface Group {
  /** Index in the ring's `rows`. */
  readonly row: number;
  readonly holders: readonly Holder[];
  readonly slotCount: number;
  readonly from: number;
  readonly to: number;
  readonly isServed: boolean;
}

/** Everything that one member holds in one state in one track: a single path, however many pieces it has. */
export interface Arcs {
  readonly track: number;
  readonly member: number;
  readonly state: LiveHolderState;
  readonly path: string;
}

export interface Track {
  readonly inner: number;
  readonly outer: number;
}

/** Where a member's name is placed: the middle of what it is the first owner of, and how much that is. */
export interface Label {
  readonly member: number;
  readonly at: number;
  readonly share: number;
}

export const RADIUS = 150;
/** The alarm for slots that nobody serves surrounds the tracks. */
export const ALARM: Track = { inner: RADIUS + 3, outer: RADIUS + 8 };
const HOLE_MIN = 62;
const TRACK_GAP = 3;
const FIRST_TRACK_WEIGHT = 1.5;

export function groupsOf({ rows }: Pick<LiveRing, 'rows'>): Group[] {
  const total = rows.reduce((sum, { slotCount }) => sum + slotCount, 0);
  const order = rows.map((_, row) => row).sort((a, b) => compare(rows[a]!.holders, rows[b]!.holders));
  let before = 0;
  return order.map((row) => {
    const { holders, slotCount } = rows[row]!;
    const from = before / total;
    before += slotCount;
    const isServed = holders.some(isServing);
    return { row, holders, slotCount, from, to: before / total, isServed };
  });
}

export function groupAt(groups: readonly Group[], turn: number): number {
  let low = 0;
  let high = groups.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (groups[middle]!.to > turn) high = middle;
    else low = middle + 1;
  }
  return low;
}

export function tracksOf(groups: readonly Group[]): Track[] {
  const count = Math.max(1, ...groups.map(({ holders }) => holders.length));
  const room = RADIUS - HOLE_MIN - TRACK_GAP * (count - 1);
  // With few tracks, each need not be thick.
  const unit = Math.min(27, room / (count - 1 + FIRST_TRACK_WEIGHT));
  const tracks: Track[] = [];
  let outer = RADIUS;
  for (let track = 0; track < count; track += 1) {
    const inner = outer - unit * (track === 0 ? FIRST_TRACK_WEIGHT : 1);
    tracks.push({ inner, outer });
    outer = inner - TRACK_GAP;
  }
  return tracks;
}

export function arcsOf(groups: readonly Group[], tracks: readonly Track[]): Arcs[] {
  const found = new Map<string, { arcs: Omit<Arcs, 'path'>; pieces: string[] }>();
  tracks.forEach((place, track) => {
    for (let at = 0; at < groups.length;) {
      const holder = groups[at]!.holders[track];
      const end = endOfRun(groups, at, track);
      if (holder !== undefined) {
        const { member, state } = holder;
        const name = `${track}.${member}.${state}`;
        const entry = found.get(name) ?? { arcs: { track, member, state }, pieces: [] };
        found.set(name, entry);
        entry.pieces.push(sector(place, groups[at]!.from, groups[end - 1]!.to));
      }
      at = end;
    }
  });
  return [...found.values()].map(({ arcs, pieces }) => ({ ...arcs, path: pieces.join('') }));
}

/** The first group after `at` with another holder in the track. */
function endOfRun(groups: readonly Group[], at: number, track: number): number {
  const holder = groups[at]!.holders[track];
  let end = at + 1;
  while (end < groups.length) {
    const next = groups[end]!.holders[track];
    if (next?.member !== holder?.member || next?.state !== holder?.state) break;
    end += 1;
  }
  return end;
}

export function slotsUnserved(groups: readonly Group[]): number {
  return groups.reduce((sum, { isServed, slotCount }) => sum + (isServed ? 0 : slotCount), 0);
}

/**
 * The number of slots of which the member has a complete copy, not counting what it only copies, or had before it went
 * down.
 */
export function slotsServedBy(groups: readonly Group[], member: number): number {
  let sum = 0;
  for (const { holders, slotCount } of groups)
    if (holders.some((one) => one.member === member && isServing(one))) sum += slotCount;
  return sum;
}

function isServing({ state }: Holder): boolean {
  return state === 'serving' || state === 'retiring';
}

export function unservedPath(groups: readonly Group[]): string {
  return groups
    .filter(({ isServed }) => !isServed)
    .map(({ from, to }) => sector(ALARM, from, to))
    .join('');
}

export function labelsOf(groups: readonly Group[]): Label[] {
  const ofMember = new Map<number, { from: number; to: number }>();
  for (const { holders, from, to } of groups) {
    const first = holders[0];
    if (first === undefined) continue;
    const known = ofMember.get(first.member);
    if (known === undefined) ofMember.set(first.member, { from, to });
    else known.to = to;
  }
  return [...ofMember].map(([member, { from, to }]) => ({ member, at: (from + to) / 2, share: to - from }));
}

/** A piece of a track; a full turn is drawn as two halves. */
export function sector({ inner, outer }: Track, from: number, to: number): string {
  if (to - from > 0.999_9) {
    const middle = (from + to) / 2;
    return sector({ inner, outer }, from, middle) + sector({ inner, outer }, middle, to);
  }
  const large = to - from > 0.5 ? 1 : 0;
  const [a, b] = [point(outer, from), point(outer, to)];
  const [c, d] = [point(inner, to), point(inner, from)];
  return `M${a}A${outer} ${outer} 0 ${large} 1 ${b}L${c}A${round(inner)} ${round(inner)} 0 ${large} 0 ${d}Z`;
}

/** `turn` 0 is at the top; positive is clockwise. */
export function point(radius: number, turn: number): string {
  const angle = turn * 2 * Math.PI;
  return `${round(radius * Math.sin(angle))} ${round(-radius * Math.cos(angle))}`;
}

export function turnOf(x: number, y: number): number {
  const turn = Math.atan2(x, -y) / (2 * Math.PI);
  return turn < 0 ? turn + 1 : turn;
}

export function decodeSlots(base64: string): Uint16Array {
  const text = atob(base64);
  const slots = new Uint16Array(text.length / 2);
  for (let at = 0; at < slots.length; at += 1)
    slots[at] = text.charCodeAt(2 * at) | (text.charCodeAt(2 * at + 1) << 8);
  return slots;
}

/** The first slots of a row as ranges: "0–4, 9, 12–13"; `hasMore`: there are further ones. */
export function rangesOf(
  slotRow: Uint16Array,
  row: number,
  most: number,
): { text: string; hasMore: boolean } {
  const ranges: string[] = [];
  for (let slot = 0; slot < slotRow.length; slot += 1) {
    if (slotRow[slot] !== row) continue;
    if (ranges.length === most) return { text: ranges.join(', '), hasMore: true };
    const from = slot;
    while (slotRow[slot + 1] === row) slot += 1;
    ranges.push(from === slot ? String(from) : `${from}–${slot}`);
  }
  return { text: ranges.join(', '), hasMore: false };
}

function compare(a: readonly Holder[], b: readonly Holder[]): number {
  for (let at = 0; at < Math.max(a.length, b.length); at += 1) {
    const difference =
      (a[at]?.member ?? -1) - (b[at]?.member ?? -1) || rank(a[at]?.state) - rank(b[at]?.state);
    if (difference !== 0) return difference;
  }
  return 0;
}

const RANKS: readonly LiveHolderState[] = ['serving', 'retiring', 'learning', 'waiting', 'down'];

function rank(state: LiveHolderState | undefined): number {
  return state === undefined ? -1 : RANKS.indexOf(state);
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
