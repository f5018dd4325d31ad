/**
 * Every step from one epoch to the next, by example; then random sequences of steps, checked for what must never be
 * lost.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { changeMembers, foundTopology, leave, markLoaded, promote } from './topology-change.ts';
import type { Entrant } from './topology-change.ts';
import { isAlive } from './topology.ts';
import type { SlotRow, Topology } from './topology.ts';

function founded(names: readonly string[]): Topology {
  return foundTopology({
    clusterId: 'c',
    life: 1,
    members: names.map((name) => ({ name, address: name, zone: '', host: name, weight: 1, incarnation: 1 })),
    place: (members) => ({
      rows: members.map((_, first) => {
        const owners = [0, 1, 2].map((offset) => members[(first + offset) % members.length]!.id);
        return { owners, complete: [] };
      }),
      slotRow: new Uint16Array(16_384),
    }),
    replicaCount: 3,
    ownerCountMin: 2,
    leaseMs: 600,
    clockDrift: 0.01,
    healAfterMs: 0,
    floorCounter: 1,
    loaded: false,
  });
}

const rowOf = (topology: Topology | null, index = 0): SlotRow => topology!.rows[index]!;
const entrant = (id: number, incarnation: number, intact = true): Entrant => ({ id, incarnation, intact });

describe('foundTopology', () => {
  it('names in any order: ids follow the order of the names, all are alive and complete', () => {
    const topology = founded(['b', 'c', 'a']);
    expect(topology.members.map((member) => [member.id, member.name, member.alive])).toEqual([
      [1, 'a', true],
      [2, 'b', true],
      [3, 'c', true],
    ]);
    expect(rowOf(topology)).toEqual({ owners: [1, 2, 3], complete: [1, 2, 3] });
  });

  it('more members than a council may have: the first seven vote', () => {
    expect(founded([...'abcdefghi']).council).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });
});

describe('changeMembers', () => {
  const base = founded(['a', 'b', 'c']);

  it('nothing changes: no epoch', () => {
    expect(changeMembers(base, { gone: [], entrants: [] })).toBeNull();
    expect(changeMembers(base, { gone: [9], entrants: [entrant(1, 1)] })).toBeNull();
  });

  it('a member comes back on another machine: known by where it is now, also with a disk that was lost', () => {
    const place = { address: '10.0.0.9:1', zone: 'b', host: 'machine-9' };
    for (const intact of [true, false]) {
      const back = changeMembers(base, { gone: [], entrants: [{ ...entrant(2, 7, intact), place }] })!;
      expect(back.members[1]).toMatchObject({ name: 'b', incarnation: 7, ...place });
      expect(back.members[0]).toEqual(base.members[0]);
    }
  });

  it('a member goes while others are complete: it is no longer complete', () => {
    expect(rowOf(changeMembers(base, { gone: [3], entrants: [] })).complete).toEqual([1, 2]);
  });

  it('a restarted process beside complete owners: it comes back as a learner', () => {
    const next = changeMembers(base, { gone: [], entrants: [entrant(3, 2)] });
    expect(rowOf(next).complete).toEqual([1, 2]);
    expect(isAlive(next!, 3)).toBe(true);
  });

  it('the last complete owners go: they stay on record, and a learner does not inherit', () => {
    const alone = changeMembers(base, { gone: [2, 3], entrants: [] })!;
    const none = changeMembers(alone, { gone: [1], entrants: [] })!;
    expect(rowOf(none).complete).toEqual([1]);
    const learner = changeMembers(none, { gone: [], entrants: [entrant(2, 2)] })!;
    expect(rowOf(learner).complete).toEqual([1]);
    expect(promote(learner, 2, 2)).toBeNull();
    expect(rowOf(changeMembers(learner, { gone: [], entrants: [entrant(1, 2)] })).complete).toEqual([1]);
  });

  it('a cold start of some: those that were complete to the end are complete at once', () => {
    const next = changeMembers(base, { gone: [3], entrants: [entrant(1, 2), entrant(2, 2)] });
    expect(rowOf(next).complete).toEqual([1, 2]);
  });

  it('a lost disk: a new id among owners and voters, complete nowhere', () => {
    const next = changeMembers(base, { gone: [], entrants: [entrant(3, 2, false)] })!;
    expect(rowOf(next)).toEqual({ owners: [1, 2, 4], complete: [1, 2] });
    expect(next.council).toEqual([1, 2, 4]);
    expect(next.nextId).toBe(5);
  });

  it('the disk of the last complete owner is lost: its old id stays recorded, nobody has the data', () => {
    const alone = changeMembers(base, { gone: [1, 2], entrants: [] })!;
    const next = changeMembers(alone, { gone: [], entrants: [entrant(3, 2, false)] })!;
    expect(rowOf(next)).toEqual({ owners: [1, 2, 4], complete: [3] });
    expect(promote(next, 4, 2)).toBeNull();
  });

  it('two voters lost their disks: one enters, the other waits for a later epoch', () => {
    const next = changeMembers(base, { gone: [], entrants: [entrant(2, 2, false), entrant(3, 2, false)] })!;
    expect(next.council).toEqual([1, 4, 3]);
    expect(isAlive(next, 3)).toBe(false);
  });

  it('any sequence of changes: epochs grow by one, no row is emptied, nobody becomes complete unearned', () => {
    const step = fc.record({
      kind: fc.constantFrom('change', 'promote', 'leave', 'loaded'),
      gone: fc.uniqueArray(fc.nat(4), { maxLength: 4 }),
      entering: fc.uniqueArray(fc.tuple(fc.nat(4), fc.boolean()), {
        maxLength: 4,
        selector: ([member]) => member,
      }),
      who: fc.nat(4),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        let topology = founded(['a', 'b', 'c', 'd', 'e']);
        let incarnation = 1;
        for (const { kind, gone, entering, who } of steps) {
          const id = (index: number): number => topology.members[index]!.id;
          const entrants = entering.map(([index, intact]) => entrant(id(index), ++incarnation, intact));
          const self = topology.members[who]!;
          const next =
            kind === 'change'
              ? changeMembers(topology, { gone: gone.map(id), entrants })
              : kind === 'promote'
                ? promote(topology, self.id, self.incarnation)
                : kind === 'leave'
                  ? leave(topology, self.id, self.incarnation)
                  : markLoaded(topology);
          if (next === null) continue;
          expect(next.epoch).toBe(topology.epoch + 1);
          expect(new Set(next.members.map((member) => member.id)).size).toBe(5);
          expect(next.council.every((voter) => next.members.some((member) => member.id === voter))).toBe(
            true,
          );
          const changedVoters = next.council.filter((voter) => !topology.council.includes(voter));
          expect(changedVoters.length).toBeLessThanOrEqual(1);
          next.rows.forEach((row, index) => {
            const before = rowOf(topology, index);
            expect(row.complete.length).toBeGreaterThan(0);
            const gained = row.complete.filter((owner) => !before.complete.includes(owner));
            expect(gained).toEqual(kind === 'promote' && gained.length > 0 ? [self.id] : []);
            const alive = row.complete.filter((owner) => isAlive(next, owner));
            expect([0, row.complete.length]).toContain(alive.length);
          });
          topology = next;
        }
      }),
      { numRuns: 300 },
    );
  });
});
