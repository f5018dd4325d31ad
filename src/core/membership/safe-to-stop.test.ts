/** When a member may be stopped without anybody having to wait: a table of clusters, seen by their first member. */
import { describe, expect, test } from 'vitest';
import { SLOT_COUNT } from '../limits.ts';
import { costsOfStopping } from './safe-to-stop.ts';
import type { StopFacts } from './safe-to-stop.ts';
import type { Member, RecordStanding, SlotRow, Topology } from './topology.ts';

function member(id: number, change: Partial<Member> = {}): Member {
  const name = `n${id}`;
  return {
    ...{ id, name, address: `${name}:1`, incarnation: 1, alive: true, zone: '', host: '', weight: 1 },
    ...change,
  };
}

const everybody = [member(1), member(2), member(3)];
const whole: SlotRow = { owners: [1, 2, 3], complete: [1, 2, 3] };

function topologyOf(change: Partial<Topology> = {}): Topology {
  return {
    ...{
      epoch: 9,
      clusterId: 'c',
      life: 1,
      replicaCount: 3,
      ownerCountMin: 2,
      leaseMs: 500,
      clockDrift: 0.01,
    },
    ...{ healAfterMs: 0, members: everybody, council: [1, 2, 3], nextId: 9, placed: [1, 2, 3] },
    ...{ rows: [whole], slotRow: new Uint16Array(SLOT_COUNT), floorCounter: 0, loaded: true },
    ...change,
  };
}

function costs(topology: Topology | null, change: Partial<StopFacts> = {}): string[] {
  return costsOfStopping({
    ...{ topology, selfId: 1, phase: 'serving' as const, leaseHeld: true, isLinked: () => true, spooled: 0 },
    stopping: [],
    ...change,
  });
}

function standing(driven: boolean): RecordStanding {
  return { system: '7', timeline: 2, drive: 1, driven };
}

/** All slots are of one row, except the last, which is of another. */
function twoRows(first: SlotRow, second: SlotRow): Partial<Topology> {
  const slotRow = new Uint16Array(SLOT_COUNT);
  slotRow[SLOT_COUNT - 1] = 1;
  return { rows: [first, second], slotRow };
}

describe('nothing speaks against it', () => {
  test.each<[string, Topology | null, Partial<StopFacts>]>([
    ['three members, all whole and in reach', topologyOf(), {}],
    ['it knows of no cluster yet', null, { phase: 'starting', leaseHeld: false }],
    ['the cluster goes on without it', topologyOf(), { phase: 'left', leaseHeld: false }],
    ['what others lack is not its own', topologyOf(twoRows(whole, { owners: [2, 3], complete: [2] })), {}],
    [
      'it has no vote, and four of five votes are in reach',
      topologyOf({ members: [1, 2, 3, 4, 5, 6].map((id) => member(id)), council: [2, 3, 4, 5, 6] }),
      { isLinked: (id) => id !== 6 },
    ],
    ['PostgreSQL has all that the owners hold', topologyOf({ record: standing(true) }), {}],
    [
      'PostgreSQL may lack rows, and none of them is of its slots',
      topologyOf({ record: standing(false), rows: [{ owners: [2, 3], complete: [2, 3] }] }),
      {},
    ],
  ])('%s', (_, topology, change) => {
    expect(costs(topology, change)).toEqual([]);
  });
});

// long: the table of reasons against a stop
describe('something would be missed', () => {
  test.each<[string, string[], Topology | null, Partial<StopFacts>]>([
    ['it is alone', ['too few owners', 'without it 0 of 1 votes'], aloneOf(), {}],
    [
      'two owners are needed, and there are two',
      ['16384 slots would have too few owners', 'without it 1 of 2 votes are left, and 2 are needed'],
      topologyOf({
        members: [member(1), member(2)],
        council: [1, 2],
        rows: [{ owners: [1, 2], complete: [1, 2] }],
      }),
      {},
    ],
    [
      'another owner is down, and a write would find one',
      ['too few owners', 'lack a copy already (n3)', 'without it 1 of 3 votes'],
      topologyOf({ members: [member(1), member(2), member(3, { alive: false })] }),
      {},
    ],
    [
      'the epoch says that all live, but one is out of reach from here',
      ['too few owners', 'lack a copy already (n2)', 'votes'],
      topologyOf(),
      { isLinked: (id) => id !== 2 },
    ],
    [
      'writes would go on with one owner, but a copy is missing already',
      ['lack a copy already (n3)'],
      topologyOf({ ownerCountMin: 1, rows: [{ owners: [1, 2, 3], complete: [1, 2] }] }),
      {},
    ],
    [
      'one slot of all is short of an owner',
      ['1 slot would have too few owners', '1 slot lack a copy already (n2)'],
      topologyOf(twoRows(whole, { owners: [1, 2, 3], complete: [1, 3] })),
      {},
    ],
    [
      'it gives slots up, and those who come are not complete',
      ['16384 slots are on their way'],
      topologyOf({ rows: [{ ...whole, coming: [2, 3, 4] }], members: [...everybody, member(4)] }),
      {},
    ],
    [
      'slots wait to come to it',
      ['16384 slots are on their way'],
      topologyOf({ rows: [{ owners: [2, 3], complete: [2, 3], coming: [1, 2, 3] }] }),
      {},
    ],
    [
      'its slots were given up and are being filled from PostgreSQL',
      ['16384 slots are being made whole again'],
      topologyOf({ rows: [{ owners: [1, 2, 3], complete: [] }] }),
      {},
    ],
    [
      'it returns and copies',
      ['it is learning'],
      topologyOf({ rows: [{ owners: [1, 2, 3], complete: [2, 3] }] }),
      { phase: 'learning' },
    ],
    ['the founding waits for it', ['it is founding'], null, { phase: 'founding', leaseHeld: false }],
    ['it is about to stop', ['it is stopping already'], topologyOf(), { phase: 'stopping' }],
    ['it holds no lease', ['holds no lease'], topologyOf(), { leaseHeld: false }],
    ['another one is to stop', ['n2 is about to stop'], topologyOf(), { stopping: ['n2'] }],
    [
      'PostgreSQL has failed over, and what it lacks is not known yet',
      ['PostgreSQL may lack what it holds'],
      topologyOf({ record: standing(false) }),
      {},
    ],
    [
      'its disk has what PostgreSQL lacks',
      ['7 records on its disk wait for PostgreSQL'],
      topologyOf(),
      { spooled: 7 },
    ],
  ])('%s', (_, expected, topology, change) => {
    const told = costs(topology, change);
    expect(told).toHaveLength(expected.length);
    expected.forEach((part, index) => expect(told[index]).toContain(part));
  });
});

function aloneOf(): Topology {
  return topologyOf({
    ...{ members: [member(1)], council: [1], ownerCountMin: 1, replicaCount: 1 },
    rows: [{ owners: [1], complete: [1] }],
  });
}
