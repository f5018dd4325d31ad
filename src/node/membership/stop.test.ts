/** What a process without a place in a cluster says that it is doing. */
import { expect, test } from 'vitest';
import { phaseOf } from './stop.ts';
import type { MembershipSelf } from './self.ts';

const BLANK = { incarnation: 1, isInDoubt: false, live: false, identity: { id: 0 } } as MembershipSelf;

test('it knows of no cluster yet: a founder founds one, and a node that is to join enters one', () => {
  const phase = (joins: boolean): string =>
    phaseOf(BLANK, null, { isStopping: false, hasLeft: false, joins });
  expect(phase(false)).toBe('founding');
  expect(phase(true)).toBe('entering');
});
