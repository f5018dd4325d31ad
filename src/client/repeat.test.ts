/** What is told of a write that was repeated under its id, by what its attempts were told. */
import { expect, test } from 'vitest';
import { CausewayError } from './causeway-error.ts';
import { repeatUnderId } from './repeat.ts';

const UNKNOWN = new CausewayError('outcome_unknown', 'indefinite', 'not known');
const CUT_OFF = new CausewayError('transport', 'indefinite', 'no answer in time');

test.each([
  ['that nobody knows', UNKNOWN, UNKNOWN],
  ['so first, and nothing later, as where the client itself cuts the last attempt off', UNKNOWN, CUT_OFF],
])('every attempt is told %s: indefinite, as the last one was told', async (_, first, later) => {
  let attempts = 0;
  const attempt = (): Promise<never> => Promise.reject(attempts++ === 0 ? first : later);
  await expect(repeatUnderId(300, attempt, () => true)).rejects.toMatchObject({
    ...{ code: later.code, certainty: 'indefinite' },
    message: `${later.message} (repeated under its id: the time is over)`,
  });
  expect(attempts).toBeGreaterThan(1);
});
