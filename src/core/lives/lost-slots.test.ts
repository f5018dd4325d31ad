/**
 * Members join, leave, die and return with and without their disks, several at once, and an operator gives up what is
 * lost. Whatever the order, no member becomes complete unless it has everything, nothing is given up without an
 * operator, and everything that can be recovered comes to rest. (PROTOCOL R19, R28)
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { founded, place } from '../../../test/support/founded.ts';
import {
  doChore,
  markLeaving,
  planHousekeeping,
  rebalance,
  whyNotLeave,
} from '../membership/housekeeping.ts';
import type { HousekeepingFacts, Joiner } from '../membership/housekeeping.ts';
import { SLOT_COUNT } from '../limits.ts';
import { giveUp, lossOf } from './recovery.ts';
import { movesOf } from '../placement/slot-moves.ts';
import { changeMembers, promote } from '../membership/topology-change.ts';
import {
  isAlive,
  isForsaken,
  liveOwners,
  memberById,
  placeable,
  recovererOf,
  rowOfSlot,
} from '../membership/topology.ts';
import type { SlotRow, Topology } from '../membership/topology.ts';

const MEMBERS_MAX = 9;
const REPLICAS = 3;
const QUIET: HousekeepingFacts = {
  joiners: [],
  isGoneLong: () => false,
  hasRetired: () => true,
  patienceOver: false,
};
/** A sample that contains slots of every group of owners. */
const SLOTS = Array.from({ length: 61 }, (_, at) => Math.floor((at * SLOT_COUNT) / 61));

const KINDS = [
  ...['join', 'replace', 'leave', 'gone', 'gone', 'storm', 'back', 'blank', 'coldBack', 'promote', 'promote'],
  ...['chore', 'chore', 'heal', 'rebalance', 'giveUp', 'giveUp'],
] as const;
type Kind = (typeof KINDS)[number];
const STEP = fc.record({ kind: fc.constantFrom(...KINDS), who: fc.nat(99), word: fc.boolean() });

/** A cluster reduced to its topology. `apply` takes a step if it is possible, and checks the result. */
class Walk {
  topology: Topology = founded(5, 1_000);
  private memberCount = 5;
  private incarnation = 1;

  apply(kind: Kind, who: number, word: boolean): void {
    const next = this.after(kind, who, word);
    if (next !== null && hasMajority(next)) this.take(kind, next);
  }

  /** Repeats until nothing is left to be done by the live members. */
  rest(): void {
    for (let steps = 0; ; steps += 1) {
      expect(steps).toBeLessThan(600);
      const { topology } = this;
      const promoted = topology.members
        .map(({ id, incarnation }) => promote(topology, id, incarnation))
        .find((one) => one !== null);
      const next = promoted ?? this.chore(true, { isGoneLong: () => true });
      if (next === null) return;
      this.take(promoted === undefined ? 'chore' : 'promote', next);
    }
  }

  /** All dead members return with their disks. */
  returnAll(): void {
    const dead = this.topology.members.filter(({ alive }) => !alive).map(({ id }) => id);
    this.topology =
      changeMembers(
        this.topology,
        this.entering(dead, () => true),
      ) ?? this.topology;
  }

  giveUpAll(): void {
    this.topology = giveUp(this.topology, lossOf(this.topology).slots.length, place) ?? this.topology;
  }

  private take(kind: string, next: Topology): void {
    const before = this.topology;
    const faults = SLOTS.map((slot) => faultOf(kind, before, next, slot)).filter((fault) => fault !== null);
    expect(faults.slice(0, 1)).toEqual([]);
    this.topology = next;
  }

  private after(kind: string, who: number, word: boolean): Topology | null {
    const { topology } = this;
    const { members } = topology;
    const { id, incarnation, name } = members[who % members.length]!;
    const isPicked = (_: unknown, at: number): boolean => ((who >> at) & 1) === 1;
    const gone = (ids: readonly number[]): Topology | null =>
      changeMembers(topology, { gone: [...ids], entrants: [] });
    const back = (isIntact: boolean): Topology | null =>
      changeMembers(
        topology,
        this.entering([id], () => isIntact),
      );
    if (kind === 'join') return this.join(word, '');
    if (kind === 'replace') return this.join(word, name);
    if (kind === 'leave') return whyNotLeave(topology, name) === null ? markLeaving(topology, name) : null;
    if (kind === 'gone') return gone([id]);
    if (kind === 'storm') return gone(members.filter(isPicked).map((member) => member.id));
    if (kind === 'back' || kind === 'blank') return back(kind === 'back');
    if (kind === 'coldBack') {
      const dead = members.filter(({ alive }) => !alive).map((member) => member.id);
      return changeMembers(
        topology,
        this.entering(dead, (at) => isPicked(null, at)),
      );
    }
    if (kind === 'promote') return promote(topology, id, incarnation);
    if (kind === 'giveUp') return giveUp(topology, lossOf(topology).slots.length, place);
    if (kind === 'rebalance') return rebalance(topology, place);
    return this.chore(word, kind === 'heal' ? { isGoneLong: () => true } : {});
  }

  private chore(hasRetired: boolean, facts: Partial<HousekeepingFacts>): Topology | null {
    const planned = planHousekeeping(this.topology, { ...QUIET, hasRetired: () => hasRetired, ...facts });
    return planned === null ? null : doChore(this.topology, planned, place);
  }

  private join(hasRetired: boolean, replaces: string): Topology | null {
    if (this.memberCount >= MEMBERS_MAX) return null;
    this.memberCount += 1;
    const name = `node-${this.memberCount}`;
    const joiner: Joiner = { name, address: name, zone: '', host: name, weight: 1, incarnation: 1, replaces };
    return this.chore(hasRetired, { joiners: [joiner] });
  }

  private entering(
    ids: readonly number[],
    isIntact: (at: number) => boolean,
  ): Parameters<typeof changeMembers>[1] {
    const incarnation = (this.incarnation += 1);
    return { gone: [], entrants: ids.map((id, at) => ({ id, incarnation, intact: isIntact(at) })) };
  }
}

/** Without a majority no epoch could have been chosen. */
function hasMajority(topology: Topology): boolean {
  return topology.council.filter((id) => isAlive(topology, id)).length * 2 > topology.council.length;
}

/** What is wrong with the slot after a step; null if nothing. */
function faultOf(kind: string, before: Topology, next: Topology, slot: number): string | null {
  const [from, to] = [rowOfSlot(before, slot), rowOfSlot(next, slot)];
  const isMove = ['promote', 'chore', 'rebalance'].includes(kind);
  // A slot that was headed for fewer owners, because no more were to stay, gets the others later.
  const headedFor = from.coming?.length ?? REPLICAS;
  const wanted = Math.min(headedFor, placeable(next).length, liveOwners(before, from).length);
  const faults = {
    'complete unearned': kind !== 'promote' && to.complete.some((id) => !from.complete.includes(id)),
    'given up unasked': kind !== 'giveUp' && from.complete.length > 0 && to.complete.length === 0,
    'nobody or one twice': [to.owners, to.coming ?? to.owners].some(
      (ids) => ids.length === 0 || new Set(ids).size !== ids.length,
    ),
    'complete and no owner': to.complete.some((id) => isAlive(next, id) && !to.owners.includes(id)),
    'whole by another':
      isForsaken(from) && to.complete.length > 0 && !to.complete.includes(recovererOf(before, from)),
    'another makes it whole': isForsaken(from) && isForsaken(to) && !isGoneOnWith(before, next, from, to),
    'fewer copies by a move': isMove && liveOwners(next, to).length < wanted,
  };
  const fault = Object.entries(faults).find(([, isSo]) => isSo)?.[0];
  if (fault === undefined) return null;
  return `${fault} by ${kind}, slot ${slot}: ${JSON.stringify(from)} became ${JSON.stringify(to)}`;
}

/** True if the member that makes a slot whole goes on with it for as long as it lives. */
function isGoneOnWith(before: Topology, next: Topology, from: SlotRow, to: SlotRow): boolean {
  const id = recovererOf(before, from);
  const now = memberById(next, id);
  const isTheSame = now?.alive === true && now.incarnation === memberById(before, id)!.incarnation;
  return !isTheSame || recovererOf(next, to) === id;
}

test('any sequence of losses, returns and orders of an operator: nobody becomes complete without having everything, nothing is given up without an order, and all comes to rest', () => {
  fc.assert(
    fc.property(fc.array(STEP, { minLength: 10, maxLength: 60 }), (steps) => {
      const walk = new Walk();
      for (const { kind, who, word } of steps) walk.apply(kind, who, word);
      walk.rest();
      walk.giveUpAll();
      walk.rest();
      expect(lossOf(walk.topology).recovering).toBe(0);
      walk.returnAll();
      walk.rest();
      const { slots, recovering } = lossOf(walk.topology);
      expect(recovering).toBe(0);
      if (slots.length === 0) expect(movesOf(walk.topology).slotCount).toBe(0);
    }),
    { numRuns: 15 },
  );
}, 60_000);
