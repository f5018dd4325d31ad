/**
 * The cost of a cluster's size in numbers: how evenly slots are distributed and how many of them a change of members
 * moves, computed by the placement rules themselves; and how much members say to one another, and how soon they know
 * that one of them died, measured with members in simulated time. Nothing here depends on the speed of the machine.
 */
import xxhash from 'xxhash-wasm';
import { SLOT_COUNT } from '../src/core/limits.ts';
import { placeSlots } from '../src/core/placement/slot-table.ts';
import type { Placement, PlacementMember } from '../src/core/placement/slot-table.ts';
import { MembershipWorld } from './membership-world.ts';

const REPLICA_COUNT = 3;
const ZONE_COUNT = 5;
const SEED = 1;
/** Alternating joins and departures, after which slots must still lie in long runs. */
const CHANGE_COUNT = 10;
/** Milliseconds over which messages are counted, and within which events must have happened. */
const COUNT_MS = 1_000;
const WAIT_MS_MAX = 60_000;
/** The hash that a running node uses. */
const { h32 } = await xxhash();

export interface PlacementScale {
  readonly nodes: number;
  /** The fullest node's places, and its first places, as multiples of a fair share. */
  readonly fullest: number;
  readonly fullestFirst: number;
  readonly emptiest: number;
  /** The most first places of one node, as a multiple of a fair share of the remaining nodes, whichever node is gone. */
  readonly fullestFirstWithout: number;
  /** The share of all places that must be copied when a node joins or leaves; and a fair share. */
  readonly movedByJoin: number;
  readonly movedByLeave: number;
  readonly fairShare: number;
  /**
   * The number of runs of slots with the same first owner, which clients are told; and after some joins and departures.
   */
  readonly ranges: number;
  readonly rangesAfterChanges: number;
  readonly rows: number;
}

export interface MembershipScale {
  readonly nodes: number;
  /** Messages that one node sends per second while nothing happens. */
  readonly messagesPerSecond: number;
  /** Milliseconds from the simultaneous start of all nodes until all have a lease. */
  readonly foundedMs: number;
  /** Milliseconds from a death until half of the others, and all of them, act in the epoch without the dead node. */
  readonly halfKnowMs: number;
  readonly allKnowMs: number;
  /** Milliseconds from its restart until it is complete again and all have a lease; without copying. */
  readonly backMs: number;
}

export function placementAt(nodes: number): PlacementScale {
  const members = Array.from({ length: nodes }, (_, index) => memberOf(index + 1));
  const before = place(members, null);
  const joined = place([...members, memberOf(nodes + 1)], before);
  const left = place(members.slice(1), before);
  const places = SLOT_COUNT * Math.min(REPLICA_COUNT, nodes);
  const all = countsOf(before, () => true);
  const firsts = countsOf(before, (at) => at === 0);
  const loads = members.map(({ id }) => (all.get(id) ?? 0) / (places / nodes));
  return {
    nodes,
    fullest: Math.max(...loads),
    emptiest: Math.min(...loads),
    fullestFirst: Math.max(...firsts.values()) / (SLOT_COUNT / nodes),
    fullestFirstWithout: fullestWithout(before, nodes),
    movedByJoin: movesBetween(before, joined) / places,
    movedByLeave: movesBetween(before, left) / places,
    fairShare: 1 / nodes,
    ranges: rangesIn(before),
    rangesAfterChanges: rangesIn(changed(members, before)),
    rows: before.owners.length,
  };
}

export function membershipAt(nodes: number): MembershipScale {
  const world = new MembershipWorld(SEED, nodes);
  let sentCount = 0;
  const send = world['send'].bind(world);
  world['send'] = (...message) => {
    sentCount += 1;
    send(...message);
  };
  for (const member of world.members) world.start(member);
  const foundedMs = until(world, () => world.isWhole());
  world.run(COUNT_MS);
  const counted = sentCount;
  world.run(COUNT_MS);
  const messagesPerSecond = (sentCount - counted) / nodes / (COUNT_MS / 1_000);
  const dead = world.members[nodes - 1]!;
  const others = world.members.slice(0, -1);
  world.kill(dead);
  const knowing = (): number =>
    others.filter(({ process }) =>
      process!.membership.topology!.members.some(({ name, alive }) => name === dead.name && !alive),
    ).length;
  const halfKnowMs = until(world, () => knowing() >= others.length / 2);
  const allKnowMs = halfKnowMs + until(world, () => knowing() === others.length);
  world.start(dead);
  const backMs = until(world, () => world.isWhole());
  const [violation] = world.violations;
  if (violation !== undefined) throw new Error(`${nodes} members: ${violation}`);
  return { nodes, messagesPerSecond, foundedMs, halfKnowMs, allKnowMs, backMs };
}

function until(world: MembershipWorld, holds: () => boolean): number {
  const since = world.scheduler.time;
  while (!holds()) {
    const passed = world.scheduler.time - since;
    if (passed > WAIT_MS_MAX) throw new Error(`after ${passed} ms it still does not hold: ${String(holds)}`);
    world.run(1);
  }
  return world.scheduler.time - since;
}

function memberOf(id: number): PlacementMember {
  return { id, name: `node-${id}`, zone: `zone-${id % ZONE_COUNT}`, host: `host-${id}`, weight: 1 };
}

function place(members: readonly PlacementMember[], before: Placement | null): Placement {
  const previous = before === null ? null : ownersIn(before);
  return placeSlots({ members, replicaCount: REPLICA_COUNT, previous, hash32: (text) => h32(text) });
}

function ownersIn(placement: Placement): (slot: number) => readonly number[] {
  return (slot) => placement.owners[placement.slotRow[slot]!]!;
}

function countsOf(placement: Placement, counts: (place: number) => boolean): Map<number, number> {
  const found = new Map<number, number>();
  for (let slot = 0; slot < SLOT_COUNT; slot += 1) {
    for (const [at, id] of ownersIn(placement)(slot).entries())
      if (counts(at)) found.set(id, (found.get(id) ?? 0) + 1);
  }
  return found;
}

/** Places of members that did not have the slot before and must copy it. */
function movesBetween(before: Placement, after: Placement): number {
  let moves = 0;
  for (let slot = 0; slot < SLOT_COUNT; slot += 1) {
    const had = ownersIn(before)(slot);
    for (const id of ownersIn(after)(slot)) if (!had.includes(id)) moves += 1;
  }
  return moves;
}

function rangesIn(placement: Placement): number {
  const first = (slot: number): number => ownersIn(placement)(slot)[0]!;
  let ranges = 1;
  for (let slot = 1; slot < SLOT_COUNT; slot += 1) if (first(slot) !== first(slot - 1)) ranges += 1;
  return ranges;
}

/** The most first places that any node has when one node is gone and others take its first places over. */
function fullestWithout(placement: Placement, nodes: number): number {
  const firsts = countsOf(placement, (at) => at === 0);
  const taken = new Map<string, number>();
  let most = Math.max(...firsts.values());
  for (let slot = 0; slot < SLOT_COUNT; slot += 1) {
    const [gone, next] = ownersIn(placement)(slot);
    const pair = `${gone} ${next}`;
    const count = (taken.get(pair) ?? 0) + 1;
    taken.set(pair, count);
    most = Math.max(most, count + firsts.get(next!)!);
  }
  return most / (SLOT_COUNT / (nodes - 1));
}

/** One node joins, then the oldest member leaves, and so on. */
function changed(founders: readonly PlacementMember[], before: Placement): Placement {
  let members = founders;
  let placement = before;
  for (let change = 0; change < CHANGE_COUNT; change += 1) {
    const isJoin = change % 2 === 0;
    members = isJoin ? [...members, memberOf(founders.length + 1 + change)] : members.slice(1);
    placement = place(members, placement);
  }
  return placement;
}

const PLACEMENT_HEAD = [
  'nodes',
  'fullest node',
  'emptiest node',
  'fullest by first places',
  'the same, one gone',
  'a fair share',
  'moved by a join',
  'by a departure',
  'ranges',
  'after ten changes',
  'rows of the table',
];
const MEMBERSHIP_HEAD = [
  'nodes',
  'messages a second and node',
  'all started at once: whole after',
  'one dies: half know after',
  'all know after',
  'it is back after',
];

export function placementTable(rows: readonly PlacementScale[]): string {
  const lines = rows.map((row) => [
    String(row.nodes),
    row.fullest.toFixed(3),
    row.emptiest.toFixed(3),
    row.fullestFirst.toFixed(3),
    row.fullestFirstWithout.toFixed(3),
    percent(row.fairShare),
    percent(row.movedByJoin),
    percent(row.movedByLeave),
    String(row.ranges),
    String(row.rangesAfterChanges),
    String(row.rows),
  ]);
  return tableOf(PLACEMENT_HEAD, lines);
}

export function membershipTable(rows: readonly MembershipScale[]): string {
  const lines = rows.map((row) => [
    String(row.nodes),
    row.messagesPerSecond.toFixed(0),
    `${row.foundedMs.toFixed(0)} ms`,
    `${row.halfKnowMs.toFixed(0)} ms`,
    `${row.allKnowMs.toFixed(0)} ms`,
    `${row.backMs.toFixed(0)} ms`,
  ]);
  return tableOf(MEMBERSHIP_HEAD, lines);
}

function percent(part: number): string {
  return `${(part * 100).toFixed(2)} %`;
}

function tableOf(head: readonly string[], lines: readonly (readonly string[])[]): string {
  const all = [head, head.map(() => '---'), ...lines];
  return all
    .map((cells) => `| ${cells.join(' | ')} |\n`)
    .join('')
    .replaceAll('| --- ', '|---')
    .replaceAll('--- |', '---|');
}
