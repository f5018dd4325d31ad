/** Which PostgreSQL an operator may adopt, and the epoch that names it. */
import { describe, expect, test } from 'vitest';
import { founded, place } from '../../../test/support/founded.ts';
import { NO_MUTATIONS } from '../mutations.ts';
import { adoptServer, isAdopted, judgeAdoption, lossByAdoption } from './record-adoption.ts';
import { adoptedSystem } from './record-standing.ts';
import type { SeenServer } from './record-standing.ts';
import { giveUp } from '../lives/recovery.ts';
import { changeMembers } from '../membership/topology-change.ts';
import type { Topology } from '../membership/topology.ts';

const HERE = { system: 'a', timeline: 2 };
const record = { ...HERE, drive: 3, driven: true };
const topology: Topology = { ...founded(3), clusterId: 'second', life: 2, record };
const ours: SeenServer = { ...HERE, clusterId: 'second', life: 2 };
const none = { clusterId: '', life: 0 };

describe('what stands in the server that is seen', () => {
  test.each([
    ['the one in use', {}, true, 'inUse'],
    ['it has failed over: nobody need say so', { timeline: 3 }, true, 'inUse'],
    ['a backup in another server', { system: 'b' }, true, 'ready'],
    ['an earlier timeline, on purpose', { timeline: 1 }, true, 'ready'],
    ['another server, empty', { system: 'b', ...none }, false, 'ready'],
    ['the same one, emptied', none, false, 'ready'],
    ['another server with rows and no founding', { system: 'b', ...none }, true, 'earlier'],
    ['the same one, from an earlier life', { clusterId: 'first', life: 1 }, true, 'earlier'],
    ['another cluster', { system: 'b', clusterId: 'theirs' }, true, 'refused'],
    ['another cluster, without rows', { system: 'b', clusterId: 'theirs' }, false, 'refused'],
    ['a later life', { system: 'b', clusterId: 'third', life: 3 }, true, 'refused'],
  ])('%s', (_what, differs, hasRows, kind) =>
    expect(judgeAdoption(topology, { ...ours, ...differs }, hasRows).kind).toBe(kind),
  );

  test('a cluster that has not taken note of any: refused', () => {
    const { record: _none, ...unaware } = topology;
    expect(judgeAdoption(unaware, { ...ours, system: 'b' }, true).kind).toBe('refused');
  });
});

test('what only the server of before has is said: rows of slots that are not whole, or were not loaded yet', () => {
  expect(lossByAdoption(topology)).toBeNull();
  expect(lossByAdoption({ ...topology, loaded: false })).toContain('before the founding');
  const gone = changeMembers({ ...topology, replicaCount: 3 }, { gone: [1, 2, 3], entrants: [] })!;
  const back = {
    ...gone,
    members: gone.members.map((member) => ({ ...member, alive: true, id: member.id + 3 })),
  };
  const given = giveUp(back, 16_384, place)!;
  expect(lossByAdoption(given)).toContain('16384 slots');
});

describe('the epoch that names it', () => {
  const claimed = { system: adoptedSystem('b', '1f'), timeline: 1, clusterId: 'second' };
  const seen: SeenServer = { ...claimed, life: 2 };

  test('a drive begins on it', () => {
    const next = adoptServer(topology, claimed, seen, NO_MUTATIONS)!;
    expect(next.epoch).toBe(topology.epoch + 1);
    expect(next.record).toEqual({ system: claimed.system, timeline: 1, drive: 4, driven: false });
    expect(isAdopted(next, claimed)).toBe(true);
    expect(adoptServer(next, claimed, seen, NO_MUTATIONS)).toBeNull();
  });

  test('this node does not see it, sees it as it was before it was claimed, or on another timeline: none', () => {
    for (const other of [null, ours, { ...seen, system: 'b' }, { ...seen, timeline: 2 }])
      expect(adoptServer(topology, claimed, other, NO_MUTATIONS)).toBeNull();
  });

  test('another life of the cluster has begun since: none', () => {
    expect(adoptServer({ ...topology, clusterId: 'third' }, claimed, seen, NO_MUTATIONS)).toBeNull();
  });
});
