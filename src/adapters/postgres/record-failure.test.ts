/** What an answer of the server speaks against: itself, or some of the rows. */
import { expect, test } from 'vitest';
import { failureOfStatement, toRecordError } from './record-failure.ts';

const answered = (code: string): Error => Object.assign(new Error('no'), { code, severity: 'ERROR' });

test('a value that is rotten at the server: that speaks against rows, and the server is not down for it', () => {
  const failure = failureOfStatement(answered('XX001'));
  expect(failure).toMatchObject({ kind: 'unknown', isOutage: false, ofRows: true });
  expect(toRecordError(failure)).toMatchObject({ kind: 'unknown', ofRows: true });
});

test('a disk of the server that has failed, or that nobody answers: the server is down', () => {
  for (const error of [answered('58030'), new Error('the connection was lost')])
    expect(failureOfStatement(error)).toMatchObject({ isOutage: true, ofRows: false });
});
