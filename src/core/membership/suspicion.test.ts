/** Whom a node does not hear, and whose reports it relies on before a member is removed or admitted. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Suspicion } from './suspicion.ts';
import { foundTopology } from './topology-change.ts';

const NAMES = ['a', 'b', 'c', 'd', 'e'];
const SETTINGS = { suspectAfterMs: 500, linkGraceMs: 50, splitAfterMs: 1_000 };
const topology = foundTopology({
  clusterId: 'c',
  life: 1,
  members: NAMES.map((name) => ({ name, address: name, zone: '', host: name, weight: 1, incarnation: 1 })),
  place: () => ({ rows: [{ owners: [1, 2, 3], complete: [] }], slotRow: new Uint16Array(16_384) }),
  replicaCount: 3,
  ownerCountMin: 2,
  leaseMs: 600,
  clockDrift: 0.01,
  healAfterMs: 0,
  floorCounter: 1,
  loaded: true,
});

/** The view of `a` at `now` after these reports, each of which names the members its sender does not hear. */
function view(now: number, reports: Readonly<Record<string, readonly string[]>>): Suspicion {
  const suspicion = new Suspicion('a', NAMES, SETTINGS, 0);
  hear(suspicion, now, reports);
  return suspicion;
}

function hear(suspicion: Suspicion, now: number, reports: Readonly<Record<string, readonly string[]>>): void {
  for (const [name, suspects] of Object.entries(reports)) {
    suspicion.heard(name, now);
    suspicion.reported(name, suspects, now);
  }
}

describe('hearing a peer', () => {
  it('its link breaks: silent after a short grace, not before, and heard again when it is back', () => {
    const suspicion = view(100, { b: [] });
    suspicion.linkDown('b', 100);
    expect(suspicion.isSilent('b', 149)).toBe(false);
    expect(suspicion.isPresent('b', 149)).toBe(false);
    expect(suspicion.isSilent('b', 150)).toBe(true);
    suspicion.linkUp('b');
    expect(suspicion.isSilent('b', 160)).toBe(false);
  });

  it('its frames stop: silent after the time for heartbeats', () => {
    const suspicion = view(100, { b: [] });
    expect(suspicion.isSilent('b', 600)).toBe(false);
    expect(suspicion.isSilent('b', 601)).toBe(true);
  });

  it('we slept ourselves: nobody is silent for that', () => {
    const suspicion = view(100, { b: [] });
    suspicion.stalled(5_000);
    expect(suspicion.silent(5_000)).toEqual([]);
  });

  it('whatever happens in whatever order: who is told as silent is silent one by one, and nobody else', () => {
    const step = fc.record({
      name: fc.constantFrom(...NAMES),
      what: fc.constantFrom('heard', 'linkUp', 'linkDown', 'peerGone', 'add', 'remove', 'stalled', 'nothing'),
      ms: fc.constantFrom(0, 1, 10, 49, 50, 51, 300, 499, 501),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const suspicion = view(0, {});
        let now = 0;
        for (const { name, what, ms } of steps) {
          now += ms;
          if (what === 'add') suspicion.add(name, now - 2 * ms);
          else if (what === 'remove' || what === 'linkUp') suspicion[what](name);
          else if (what === 'stalled') suspicion.stalled(now);
          else if (what !== 'nothing') suspicion[what](name, now);
          const silent = NAMES.filter((each) => suspicion.isSilent(each, now));
          expect([...suspicion.silent(now)].sort()).toEqual(silent);
        }
      }),
    );
  });
});

describe('who must go', () => {
  it('most of the council does not hear it: it goes', () => {
    expect(view(600, { b: ['e'], c: ['e'], d: [] }).accused(topology, 600)).toEqual([5]);
  });

  it('we alone do not hear it: it stays', () => {
    expect(view(600, { b: [], c: [], d: [] }).accused(topology, 600)).toEqual([]);
  });

  it('a view that is old counts no more', () => {
    const suspicion = view(0, { b: ['e'], c: ['e'] });
    hear(suspicion, 600, { d: [] });
    expect(suspicion.accused(topology, 600)).toEqual([]);
  });

  it('two accuse one another for long: the one that fewer reach, on a tie the higher id', () => {
    const suspicion = view(0, {});
    const tie = { b: ['d'], c: [], d: ['b'], e: [] };
    for (let now = 0; now <= 900; now += 100) {
      hear(suspicion, now, tie);
      expect(suspicion.accused(topology, now)).toEqual([]);
    }
    hear(suspicion, 1_000, tie);
    expect(suspicion.accused(topology, 1_000)).toEqual([4]);
    hear(suspicion, 1_100, { ...tie, e: ['b'] });
    expect(suspicion.accused(topology, 1_100)).toContain(2);
    expect(suspicion.accused(topology, 1_100)).not.toContain(4);
  });

  it('a pair is split, but we hear less than most of the council: nobody goes by our word', () => {
    const suspicion = view(0, {});
    for (let now = 0; now <= 2_000; now += 100) {
      hear(suspicion, now, { b: ['c'] });
      if (now > 600) expect(suspicion.accused(topology, now)).toEqual([]);
    }
  });
});

describe('who may come in', () => {
  it('a link works both ways by everyone it concerns: yes; one direction is missing or unknown: no', () => {
    expect(view(0, { b: [], e: [] }).isLinked('e', ['a', 'b'], 0)).toBe(true);
    expect(view(0, { b: ['e'], e: [] }).isLinked('e', ['a', 'b'], 0)).toBe(false);
    expect(view(0, { b: [], e: ['b'] }).isLinked('e', ['a', 'b'], 0)).toBe(false);
    expect(view(0, { b: [] }).isLinked('e', ['a', 'b'], 0)).toBe(false);
  });
});
