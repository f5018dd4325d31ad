/** Conditional writes that are overtaken while epochs pass, with the rules as they are; `sim/mutants.test.ts` breaks one. */
import { expect, test } from 'vitest';
import { abortedAndLeftOut, abortOverEpoch, decidedAndOvertaken } from './aborting.ts';

test('an increment is overtaken and an epoch passes before that is valid: it is done anew above it all the same', () => {
  expect(abortOverEpoch({})).toBe('ok');
});

test('all owners have an increment, and an epoch passes before what overtakes it is valid: it is done, before that', () => {
  expect(decidedAndOvertaken({})).toBe('ok');
});

test('an increment is aborted at a coordinator that an epoch leaves out, and finished by others: nobody calls it undone', () => {
  expect(abortedAndLeftOut({})).toBe('ok');
});
