/** Which life is in force, whether anybody lives in it, and what that means for a founding, a start and an operator. */
import { describe, expect, it } from 'vitest';
import { LIFE_FRESH_MS, LIFE_SIGN_AFTER_MS, LIVING_TOLD_MAX } from './life-limits.ts';
import { judgeLife, laterServer, livingHere, livingIn, wantsSign, whyLifeGoesOn } from './lives.ts';
import type { StandingLife } from './lives.ts';
import type { Topology } from '../membership/topology.ts';

const OWN = { clusterId: 'ours', life: 2 };
const FOUR = { name: 'node-4', address: 'four:1' };

function standing(life: number, ageMs: number | null, clusterId = 'ours'): StandingLife {
  return {
    clusterId,
    life,
    lineage: ['ours'],
    sign: ageMs === null ? null : { members: [FOUR], ageMs, notedAt: 0 },
  };
}

describe('what PostgreSQL says of a life', () => {
  it.each([
    ['no founding at all', null, 'goesOn'],
    ['the same life', standing(2, 0), 'goesOn'],
    ['an earlier one: it was set back, which is told elsewhere', standing(1, 0), 'goesOn'],
    ['a later one that came of it, whoever began it', standing(3, null, 'other'), 'over'],
    ["a later one that did not: another cluster's", { ...standing(3, 0), lineage: ['theirs'] }, 'foreign'],
    ['a later one of which nothing is known', { ...standing(9, 0), lineage: [] }, 'foreign'],
  ])('%s', (_what, told, verdict) => {
    expect(judgeLife(OWN, told)).toBe(verdict);
  });

  it.each([
    ['no founding: nobody', null, false],
    ['nothing was ever noted: nobody', standing(2, null), false],
    ['noted just now', standing(2, 0), true],
    ['noted as long ago as counts', standing(2, LIFE_FRESH_MS), true],
    ['noted longer ago: nobody', standing(2, LIFE_FRESH_MS + 1), false],
    ['noted a moment ahead of the clock that is asked', standing(2, -LIFE_FRESH_MS), true],
    ["noted long ahead of it: PostgreSQL's clock was set back since", standing(2, -LIFE_FRESH_MS - 1), false],
  ])('who is up in it: %s', (_what, told, isAnybody) => {
    expect(livingIn(told)).toEqual(isAnybody ? [FOUR] : null);
  });

  it.each([
    ['nothing was noted in our life', standing(2, null), true],
    ['it has just begun', { ...OWN, lineage: [], sign: { members: [], ageMs: 0, notedAt: 0 } }, true],
    ['somebody noted it a moment ago', standing(2, LIFE_SIGN_AFTER_MS - 1), false],
    ['that is some time ago', standing(2, LIFE_SIGN_AFTER_MS), true],
    ["PostgreSQL's clock was set back since", standing(2, -LIFE_SIGN_AFTER_MS), true],
    ['another life is in force', standing(3, null), false],
    ['another founding took the same number', standing(2, null, 'other'), false],
    ['there is no founding', null, false],
  ])('whether to note anything: %s', (_what, told, wants) => {
    expect(wantsSign(OWN, told)).toBe(wants);
  });
});

describe('a server that is not used is asked where it holds a later life', () => {
  const topology = {
    life: 2,
    loaded: true,
    record: { system: 's', timeline: 3, drive: 0, driven: true },
  } as unknown as Topology;
  const seen = { system: 's', timeline: 3, clusterId: 'later', life: 5 };

  it.each([
    ['of the cluster, with a later founding', seen, 5],
    ['of the cluster, failed over since', { ...seen, timeline: 4 }, 5],
    ['one that a failover has left behind', { ...seen, timeline: 2 }, null],
    ['another one, to which the cluster may have moved', { ...seen, system: 'other' }, 5],
    ['another one, with an earlier life', { ...seen, system: 'other', life: 1 }, null],
    ['of the cluster, and emptied', { ...seen, clusterId: '', life: 0 }, null],
    ['of the cluster, with the same life in force', { ...seen, life: 2 }, null],
    ['none was seen yet', null, null],
  ])('%s', (_what, told, life) => {
    expect(laterServer(topology, told)?.life ?? null).toBe(life);
  });

  it('rows are still to be loaded: another one is not asked, for its rows would be read', () => {
    const loading = { ...topology, loaded: false };
    expect(laterServer(loading, { ...seen, system: 'other' })).toBeNull();
    expect(laterServer(loading, seen)).toEqual(seen);
  });
});

describe('who is noted', () => {
  const member = (name: string, alive = true) => ({ name, address: `${name}:1`, alive });
  const topologyOf = (...members: object[]): Topology => ({ members }) as unknown as Topology;

  it('the one that notes it first, then those it hears', () => {
    const topology = topologyOf(member('a'), member('b', false), member('c'), member('d'));
    const own = { name: 'd', address: 'd:2' };
    const told = livingHere(own, topology, (name) => name !== 'c');
    expect(told).toEqual([own, { name: 'a', address: 'a:1' }]);
  });

  it('of a large cluster a few', () => {
    const many = Array.from({ length: 100 }, (_, index) => member(`m${index}`));
    expect(livingHere({ name: 'm7', address: '' }, topologyOf(...many), () => true)).toHaveLength(
      LIVING_TOLD_MAX,
    );
  });
});

describe('an operator would go on', () => {
  it.each([
    ['in the life in force', standing(2, 0)],
    ['in one before it, and nobody lives in that in force: its beginning was cut short', standing(3, null)],
    [
      'in one before it, and that in force has just begun',
      { clusterId: '', life: 3, lineage: ['ours'], sign: { members: [], ageMs: 0, notedAt: 0 } },
    ],
    ['in one before it, and nobody has been up in that for long', standing(3, LIFE_FRESH_MS + 1)],
  ])('%s: nothing stands against it', (_what, told) => {
    expect(whyLifeGoesOn(OWN, told)).toBeNull();
  });

  it('in one before it, and somebody is up in that in force: told who', () => {
    expect(whyLifeGoesOn(OWN, standing(3, 0))).toMatch(/^life 3 .* up in it: node-4 \(four:1\)\. /);
  });

  it('in one from which that in force did not come: told to look where postgres.url leads', () => {
    const foreign = { ...standing(3, null), lineage: [] };
    expect(whyLifeGoesOn(OWN, foreign)).toMatch(
      /^PostgreSQL holds life 3 .* did not come of life 2, .*postgres\.url/,
    );
  });
});
