/** Which PostgreSQL is used, when an epoch notes another one, and when it has everything again. */
import { describe, expect, test } from 'vitest';
import { founded } from '../../../test/support/founded.ts';
import {
  adoptedSystem,
  driveAnew,
  everythingDriven,
  foundedOn,
  isForeign,
  isSameButNamed,
  judgeServer,
  judgeUse,
  nextRecord,
  whyNotUsed,
} from './record-standing.ts';
import type { RecordFacts, SeenServer } from './record-standing.ts';
import { changeMembers } from '../membership/topology-change.ts';
import type { RecordStanding, Topology } from '../membership/topology.ts';

const HERE = { system: 'a', timeline: 2 };
const OURS: SeenServer = { ...HERE, clusterId: 'c', life: 1 };
const NOTHING: RecordFacts = { seen: null, lostIn: null, hasDriven: () => false };

/** Three members of a cluster that uses this server. */
function using(record: RecordStanding = foundedOn(HERE)): Topology {
  return { ...founded(3), record };
}

describe('a server answers', () => {
  test.each([
    ['the one in use', { system: 'a', timeline: 2 }, 'known'],
    ['it was promoted since', { system: 'a', timeline: 3 }, 'failedOver'],
    ['a failover has left it behind', { system: 'a', timeline: 1 }, 'earlier'],
    ['another database', { system: 'b', timeline: 2 }, 'other'],
    ['another database, promoted more often', { system: 'b', timeline: 9 }, 'other'],
    ['it does not tell its system', { system: 'unknown', timeline: 2 }, 'known'],
  ])('%s', (_what, seen, verdict) => expect(judgeServer(HERE, seen)).toBe(verdict));
});

describe('the epoch that PostgreSQL calls for', () => {
  test('nothing is seen, or what is known: none', () => {
    expect(nextRecord(using(), NOTHING)).toBeNull();
    expect(nextRecord(using(), { ...NOTHING, seen: OURS })).toBeNull();
  });

  test('a later timeline: it is named, and a drive begins', () => {
    const next = nextRecord(using(), { ...NOTHING, seen: { ...OURS, timeline: 3 } })!;
    expect(next.epoch).toBe(2);
    expect(next.record).toEqual({ system: 'a', timeline: 3, drive: 1, driven: false });
  });

  test('a later timeline without our founding, an earlier timeline, another database: no epoch', () => {
    for (const seen of [
      { ...OURS, timeline: 3, clusterId: 'another' },
      { ...OURS, timeline: 3, life: 2 },
      { ...OURS, timeline: 3, clusterId: '', life: 0 },
      { ...OURS, timeline: 1 },
      { ...OURS, system: 'b', timeline: 3 },
    ])
      expect(nextRecord(using(), { ...NOTHING, seen })).toBeNull();
  });

  test('a cluster from before topologies named servers: the server with its founding is named, and compared', () => {
    const next = nextRecord(founded(3), { ...NOTHING, seen: OURS })!;
    expect(next.record).toEqual({ ...HERE, drive: 1, driven: false });
    expect(everythingDriven(next)).toBe(false);
  });

  test('rows are gone: a drive begins, once for all who have seen it', () => {
    const next = nextRecord(using(), { ...NOTHING, lostIn: 0 })!;
    expect(next.record).toEqual({ ...HERE, drive: 1, driven: false });
    expect(nextRecord(next, { ...NOTHING, lostIn: 0 })).toBeNull();
  });

  test('all first owners have said that they are done: driven; one has not: not yet', () => {
    const topology = using({ ...HERE, drive: 4, driven: false });
    expect(nextRecord(topology, { ...NOTHING, hasDriven: (id) => id !== 2 })).toBeNull();
    const next = nextRecord(topology, { ...NOTHING, hasDriven: () => true })!;
    expect(next.record).toEqual({ ...HERE, drive: 4, driven: true });
  });

  test('slots of which no owner lives: nobody can have driven them', () => {
    const topology = using({ ...HERE, drive: 4, driven: false });
    const gone = changeMembers(topology, { gone: [1, 2, 3], entrants: [] })!;
    expect(nextRecord(gone, { ...NOTHING, hasDriven: (id) => id > 0 })).toBeNull();
  });
});

test('after a cold start everything is compared; without PostgreSQL there is nothing to compare', () => {
  expect(driveAnew(using()).record).toEqual({ ...HERE, drive: 1, driven: false });
  expect(driveAnew(founded(3))).toEqual(founded(3));
  expect(everythingDriven(founded(3))).toBe(true);
});

describe('may the server that answers be used', () => {
  const chosen: SeenServer = { ...OURS, clusterId: 'second', life: 2 };

  test.each([
    ['with the founding in force', {}, 'known'],
    ['it was emptied', { clusterId: '', life: 0 }, 'unfounded'],
    ['it is from an earlier life', { clusterId: 'first', life: 1 }, 'unfounded'],
    ['another database of the same server, of another cluster', { clusterId: 'theirs' }, 'foreign'],
    ['of a later life: its statements are fenced', { clusterId: 'third', life: 3 }, 'known'],
    ['a failover', { timeline: 3 }, 'failedOver'],
    ['another server', { system: 'b' }, 'other'],
  ])('%s', (_what, differs, verdict) => {
    const seen = { ...chosen, ...differs };
    expect(judgeUse(chosen, seen)).toBe(verdict);
    expect(whyNotUsed(chosen, seen) === null).toBe(verdict === 'known');
    expect(isForeign(chosen, seen)).toBe(verdict !== 'known' && verdict !== 'failedOver');
  });

  test('adopted, a database is told from what it was before, from copies, and from its server as it was', () => {
    const adopted = { system: adoptedSystem('a', '1f'), timeline: 2 };
    expect(judgeServer(adopted, adopted)).toBe('known');
    expect(judgeServer(adopted, { ...adopted, timeline: 3 })).toBe('failedOver');
    for (const system of ['a', adoptedSystem('a', '2f'), adoptedSystem('b', '1f'), 'unknown'])
      expect(judgeServer(adopted, { system, timeline: 9 })).toBe('other');
    expect(judgeServer(HERE, adopted)).toBe('other');
    expect(judgeServer({ ...adopted, system: adoptedSystem('unknown', '1f') }, adopted)).toBe('known');
  });

  test('a database that was given its name since it was looked at is the same; another, or one that was founded, is not', () => {
    const before = { system: 'a', timeline: 0, clusterId: '', life: 0 };
    const named = { ...before, system: adoptedSystem('a', '1f') };
    expect(isSameButNamed(before, before)).toBe(true);
    expect(isSameButNamed(named, before)).toBe(true);
    expect(isSameButNamed({ ...named, system: adoptedSystem('a', '2f') }, named)).toBe(false);
    expect(isSameButNamed(before, named)).toBe(false);
    expect(isSameButNamed({ ...named, system: adoptedSystem('b', '1f') }, before)).toBe(false);
    expect(isSameButNamed({ ...named, clusterId: 'theirs', life: 1 }, before)).toBe(false);
    const founded = { ...before, clusterId: 'ours', life: 2 };
    expect(isSameButNamed({ ...founded, system: named.system }, founded)).toBe(false);
  });

  test('people are told what there is to do', () => {
    const none = whyNotUsed(chosen, { ...chosen, clusterId: '', life: 0 });
    expect(none).toContain('no founding of this cluster, and this is life 2');
    expect(none).toContain('causeway cluster adopt-record');
    expect(whyNotUsed(chosen, { ...chosen, system: 'b' })).toContain('causeway cluster adopt-record');
  });
});
