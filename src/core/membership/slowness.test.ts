/** Which members are slow compared with the others, which of them is removed, and when it comes back. */
import { describe, expect, it } from 'vitest';
import { SLOW_AFTER_MS_DEFAULT, SLOW_FOR_MS, SLOW_WELL_MS_MIN } from '../limits.ts';
import { Slowness } from './slowness.ts';
import { changeMembers, foundTopology } from './topology-change.ts';
import type { Topology } from './topology.ts';

const NAMES = ['a', 'b', 'c', 'd', 'e'];
const LOOK_MS = 100;

/** Five members, each row owned by three of them in turn. */
function founded(names = NAMES): Topology {
  return foundTopology({
    clusterId: 'c',
    life: 1,
    members: names.map((name) => ({ name, address: name, zone: '', host: name, weight: 1, incarnation: 1 })),
    place: (members) => ({
      rows: members.map((_, first) => ({
        owners: [0, 1, 2].map((offset) => members[(first + offset) % members.length]!.id),
        complete: [],
      })),
      slotRow: new Uint16Array(16_384),
    }),
    replicaCount: 3,
    ownerCountMin: 2,
    leaseMs: 600,
    clockDrift: 0.01,
    healAfterMs: 0,
    floorCounter: 1,
    loaded: true,
  });
}

/** What `a` observes: how long each peer's answers take, what each reports of its store, and whom each finds slow. */
interface Weather {
  readonly trips?: Readonly<Record<string, number>>;
  readonly stores?: Readonly<Record<string, number>>;
  readonly finds?: Readonly<Record<string, readonly string[]>>;
}

class View {
  readonly slowness: Slowness;
  topology: Topology;
  now = 0;

  constructor(names = NAMES, slowAfterMs = SLOW_AFTER_MS_DEFAULT) {
    this.topology = founded(names);
    this.slowness = new Slowness('a', slowAfterMs, {});
  }

  pass(ms: number, { trips = {}, stores = {}, finds = {} }: Weather): this {
    const end = this.now + ms;
    while (this.now < end) {
      this.now += LOOK_MS;
      for (const { name } of this.topology.members) {
        if (name === 'a') continue;
        const tripMs = trips[name] ?? 1;
        this.slowness.asked(name, this.now - tripMs);
        this.slowness.answered(name, this.now - tripMs, this.now);
        if (name in stores || name in finds) {
          const [storeMs, slow] = [stores[name] ?? 1, finds[name] ?? []];
          const strain = { kind: 'strain', storeMs, slow, clientDelayFactor: 0 } as const;
          this.slowness.said(name, strain, this.now);
        }
      }
      this.slowness.look(this.topology, 1, this.now);
    }
    return this;
  }

  get outgoing(): string | null {
    return this.slowness.outgoing(this.topology)?.name ?? null;
  }

  /** An epoch in which exactly these members are alive. */
  epoch(alive: readonly string[]): this {
    const gone = this.topology.members.filter((member) => member.alive && !alive.includes(member.name));
    const entrants = this.topology.members
      .filter((member) => !member.alive && alive.includes(member.name))
      .map((member) => ({ id: member.id, incarnation: member.incarnation + 1, intact: true }));
    const next = changeMembers(this.topology, { gone: gone.map(({ id }) => id), entrants })!;
    this.slowness.onTopology(this.topology, next, () => false, this.now);
    this.topology = next;
    return this;
  }
}

const WITHOUT_E = ['a', 'b', 'c', 'd'];
/** Most members that share slots with `e` find it slow. */
const ALL_FIND_E: Weather = { trips: { e: 200 }, finds: { b: ['e'], c: ['e'], d: ['e'] } };
const LONG_MS = SLOW_FOR_MS + 1_000;

describe('who is found slow', () => {
  it('its answers take far longer than those of the others for a while: it is told, not before', () => {
    const view = new View().pass(SLOW_FOR_MS - 500, { trips: { e: 200 } });
    expect(view.slowness.strain(view.now, 0)).toBeNull();
    view.pass(1_500, { trips: { e: 200 } });
    expect(view.slowness.strain(view.now, 0)).toMatchObject({ slow: ['e'] });
    expect(view.slowness.why('e', view.now)).toBe('slow: it answers after 200 ms, the others after 1 ms');
  });

  it('it does not answer at all, and lives: the wait itself counts', () => {
    const view = new View().pass(500, {});
    view.slowness.asked('e', view.now);
    const { now } = view;
    for (let passed = 0; passed <= LONG_MS; passed += LOOK_MS)
      view.slowness.look(view.topology, 1, now + passed);
    expect(view.slowness.strain(now + LONG_MS, 0)).toMatchObject({ slow: ['e'] });
  });

  it('its own store is slow by its own word: it is found slow by everybody', () => {
    const view = new View().pass(LONG_MS, { stores: { e: 200 } });
    expect(view.slowness.strain(view.now, 0)).toMatchObject({ slow: ['e'] });
  });

  it('it said so some time ago, and nothing since: its word counts no more', () => {
    const view = new View().pass(LONG_MS, { stores: { e: 200 } }).pass(700, {});
    expect(view.slowness.strain(view.now, 0)).toBeNull();
  });

  it('later than the others, and below what counts as late: it is not slow', () => {
    const view = new View().pass(LONG_MS, { trips: { e: SLOW_AFTER_MS_DEFAULT - 5 } });
    expect(view.slowness.strain(view.now, 0)).toBeNull();
  });

  it('all are late alike: nobody is slow', () => {
    const view = new View().pass(LONG_MS, { trips: { b: 150, c: 200, d: 180, e: 300 } });
    expect(view.slowness.strain(view.now, 0)).toBeNull();
  });

  it('one pause of this process, in which nobody seemed to answer: nobody is slow', () => {
    const view = new View().pass(1_900, { trips: { e: 200 } });
    view.slowness.stalled();
    view.pass(500, { trips: { e: 200 } });
    expect(view.slowness.strain(view.now, 0)).toBeNull();
  });

  it('there is nobody to compare it with: it is not slow', () => {
    const view = new View(['a', 'b']).pass(LONG_MS, { trips: { b: 900 } });
    expect(view.slowness.strain(view.now, 0)).toBeNull();
  });

  it('own store late: the others are told before it counts as slow', () => {
    const view = new View();
    view.slowness.look(view.topology, 30, 0);
    expect(view.slowness.strain(0, 0)).toEqual({
      kind: 'strain',
      storeMs: 30,
      slow: [],
      clientDelayFactor: 0,
    });
  });
});

describe('who must go', () => {
  it('most of those that share slots with it find it slow: it goes', () => {
    expect(new View().pass(LONG_MS, ALL_FIND_E).outgoing).toBe('e');
  });

  it('we alone find it slow: it stays', () => {
    expect(new View().pass(LONG_MS, { trips: { e: 200 } }).outgoing).toBeNull();
  });

  it('half of them do: it stays', () => {
    expect(new View().pass(LONG_MS, { trips: { e: 200 }, finds: { b: ['e'] } }).outgoing).toBeNull();
  });

  it('all others find it slow, and we do not: it goes', () => {
    expect(new View().pass(LONG_MS, { finds: { b: ['e'], c: ['e'], d: ['e'] } }).outgoing).toBe('e');
  });

  it('switched off: nobody goes', () => {
    expect(new View(NAMES, 0).pass(LONG_MS, ALL_FIND_E).outgoing).toBeNull();
  });

  it('a slot would be left with fewer owners than a write needs: it stays', () => {
    const view = new View().pass(100, {}).epoch(['a', 'b', 'c', 'e']);
    expect(view.pass(LONG_MS, ALL_FIND_E).outgoing).toBeNull();
  });

  it('a learner is slow, whoever else is away: it goes, for it holds nothing', () => {
    const view = new View().pass(100, {}).epoch(['a', 'b', 'c']).epoch(['a', 'b', 'c', 'e']);
    expect(view.pass(LONG_MS, { trips: { e: 200 }, finds: { b: ['e'], c: ['e'] } }).outgoing).toBe('e');
  });

  it('two are slow: the slower one goes', () => {
    const both = { b: ['d', 'e'], c: ['d', 'e'] };
    const view = new View().pass(LONG_MS, { trips: { d: 400, e: 200 }, finds: both });
    expect(view.outgoing).toBe('d');
  });

  it('an epoch came in between: what was judged in the one before counts no more', () => {
    const view = new View().pass(LONG_MS, ALL_FIND_E);
    view.topology = { ...view.topology, epoch: view.topology.epoch + 1 };
    expect(view.outgoing).toBeNull();
  });
});

describe('who comes back', () => {
  const mayEnter = (view: View): boolean => view.slowness.mayEnter('e', view.now);

  it('it went for another reason: at once', () => {
    expect(mayEnter(new View().pass(500, {}).epoch(WITHOUT_E).pass(100, {}))).toBe(true);
  });

  it('it went as slow: once it has been well for long enough', () => {
    const view = new View().pass(LONG_MS, ALL_FIND_E).epoch(WITHOUT_E);
    expect(view.slowness.why('e', view.now)).toMatch(/^taken out as slow: it answers after 200 ms/);
    expect(mayEnter(view.pass(20_000, ALL_FIND_E))).toBe(false);
    expect(mayEnter(view.pass(SLOW_WELL_MS_MIN - 500, {}))).toBe(false);
    expect(mayEnter(view.pass(3_000, {}))).toBe(true);
  });

  it('somebody still finds it slow: not yet', () => {
    const view = new View().pass(LONG_MS, ALL_FIND_E).epoch(WITHOUT_E);
    expect(mayEnter(view.pass(20_000, { finds: { c: ['e'] } }))).toBe(false);
  });

  it('it has no link: not yet', () => {
    const view = new View().pass(LONG_MS, ALL_FIND_E).epoch(WITHOUT_E);
    view.slowness.linkDown('e');
    view.now += 60_000;
    expect(mayEnter(view)).toBe(false);
  });

  it('it goes again soon after: the wait doubles; after a steady time it begins anew', () => {
    const view = new View();
    const waits: number[] = [];
    for (const steadyMs of [0, 0, 0, 70_000]) {
      view.pass(steadyMs, {}).pass(LONG_MS, ALL_FIND_E).epoch(WITHOUT_E);
      const from = view.now;
      while (!mayEnter(view)) view.pass(LOOK_MS, {});
      waits.push(view.now - from);
      view.epoch(NAMES);
    }
    expect(waits[1]).toBeGreaterThan(waits[0]! * 1.5);
    expect(waits[2]).toBeGreaterThan(waits[1]! * 1.5);
    expect(waits[3]).toBe(waits[0]);
  });
});
