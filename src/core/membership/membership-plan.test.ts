/** Which processes may found a cluster together, and which newcomers are admitted. */
import { describe, expect, test } from 'vitest';
import { Absences, allBlank, planJoins } from './membership-plan.ts';
import { NO_DOORS } from '../clients/door-address.ts';
import type { Introduction } from './membership-message.ts';
import { PROTOCOL_MAX } from './protocol-versions.ts';
import { Suspicion } from './suspicion.ts';
import { changeMembers, foundTopology } from './topology-change.ts';

const SETTINGS = { suspectAfterMs: 500, linkGraceMs: 50, splitAfterMs: 1_000 };
const FOUNDERS = 'a=h:1,b=h:2';

function introduced(name: string, change: Partial<Introduction> = {}): Introduction {
  return {
    kind: 'introduction',
    ...{ name, address: `${name}:1`, zone: '', host: name, incarnation: 7, id: 0, clusterId: '', life: 0 },
    ...{ state: 'blank', epoch: 0, weight: 1, joins: false, replaces: '', founders: FOUNDERS },
    room: 'enough',
    protocol: PROTOCOL_MAX,
    doors: NO_DOORS,
    ...change,
  };
}

describe('founding', () => {
  const suspicion = new Suspicion('a', ['a', 'b'], SETTINGS, 0);
  const mayFound = (other: Introduction): boolean =>
    allBlank(introduced('a'), ['a', 'b'], new Map([['b', other]]), suspicion, 2, 10);

  test('all are blank and take the same members for theirs: they may', () => {
    expect(mayFound(introduced('b'))).toBe(true);
  });

  test('another takes others for its members, knows a cluster, or joins one: they may not', () => {
    expect(mayFound(introduced('b', { founders: `${FOUNDERS},c=h:3` }))).toBe(false);
    expect(mayFound(introduced('b', { clusterId: 'c' }))).toBe(false);
    expect(mayFound(introduced('b', { joins: true }))).toBe(false);
  });
});

describe('joining', () => {
  const topology = foundTopology({
    clusterId: 'c',
    life: 1,
    members: ['a', 'b'].map((name) => ({ name, address: '', zone: '', host: '', weight: 1, incarnation: 1 })),
    place: () => ({ rows: [{ owners: [1, 2], complete: [] }], slotRow: new Uint16Array(16_384) }),
    ...{ replicaCount: 2, ownerCountMin: 1, leaseMs: 600, clockDrift: 0.01, healAfterMs: 0 },
    ...{ floorCounter: 1, loaded: true },
  });
  const asks = { joins: true, epoch: 1, founders: '' };

  /** The view of `a`: it has just heard `b` and the newcomer, and each of them reports whom it does not hear. */
  function joinersOf(newcomer: Introduction, suspects: { b: string[]; n: string[] }): string[] {
    const suspicion = new Suspicion('a', ['a', 'b', 'n'], SETTINGS, 0);
    for (const name of ['b', 'n'] as const) {
      suspicion.heard(name, 10);
      suspicion.reported(name, suspects[name], 10);
    }
    const joiners = planJoins(topology, new Map([['n', newcomer]]), suspicion, 20);
    return joiners.map((joiner) => joiner.name);
  }

  test('its disk has too little room: it would only have to leave again, so it waits', () => {
    expect(joinersOf(introduced('n', { ...asks, room: 'low' }), { b: [], n: [] })).toEqual([]);
  });

  test('it knows exactly this epoch, hears all members, and they hear it: it is admitted', () => {
    expect(joinersOf(introduced('n', asks), { b: [], n: [] })).toEqual(['n']);
  });

  test('it and some member do not hear each other, or it knows another epoch, or does not ask: it is not admitted', () => {
    expect(joinersOf(introduced('n', asks), { b: [], n: ['b'] })).toEqual([]);
    expect(joinersOf(introduced('n', asks), { b: ['n'], n: [] })).toEqual([]);
    expect(joinersOf(introduced('n', { ...asks, epoch: 0 }), { b: [], n: [] })).toEqual([]);
    expect(joinersOf(introduced('n', { epoch: 1 }), { b: [], n: [] })).toEqual([]);
    expect(joinersOf(introduced('b', asks), { b: [], n: [] })).toEqual([]);
  });

  test('a member is gone: for how long is counted from its going, and ends with its return', () => {
    const absences = new Absences();
    const gone = changeMembers(topology, { gone: [2], entrants: [] })!;
    absences.onTopology(gone, 100);
    absences.onTopology({ ...gone, epoch: 9 }, 300);
    expect([absences.goneFor(1, 500), absences.goneFor(2, 500)]).toEqual([0, 400]);
    absences.onTopology(topology, 600);
    expect(absences.goneFor(2, 900)).toBe(0);
  });
});
