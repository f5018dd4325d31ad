/** Whether an error speaks against the server or only against some of the rows, and what is reported of it. */
import { describe, expect, test } from 'vitest';
import {
  RecordFailure,
  SetupError,
  failureOfStatement,
  refusesWrites,
  sqlStateOf,
  toRecordError,
} from './record-failure.ts';

const answered = (code: string, more: object = {}): Error =>
  Object.assign(new Error('no'), { code, severity: 'ERROR', ...more });

const OUTAGE = {
  kind: 'unknown',
  isStalled: false,
  isOutage: true,
  ofRows: false,
  isRetryable: false,
  isUnfit: false,
};
const OF_ROWS = { ...OUTAGE, isOutage: false, ofRows: true };

describe('an answer of the server', () => {
  test.each([
    ['40001', 'another transaction came in between', { ...OUTAGE, isOutage: false, isRetryable: true }],
    ['40P01', 'a deadlock', { ...OUTAGE, isOutage: false, isRetryable: true }],
    ['25006', 'no primary', { ...OUTAGE, kind: 'refused' }],
    ['22021', 'a value that is none', OF_ROWS],
    ['23505', 'a constraint', OF_ROWS],
    ['XX001', 'a value that is rotten there', OF_ROWS],
    ['P0001', 'a trigger of somebody else', OF_ROWS],
    ['44000', 'a view through which somebody has us write', OF_ROWS],
    ['55P03', 'a lock on the table', { ...OUTAGE, isStalled: true }],
    ['57014', 'no time left', { ...OUTAGE, isStalled: true }],
    ['26000', 'a prepared statement that is not there', { ...OUTAGE, isUnfit: true }],
    ['42P05', 'one that is there already', { ...OUTAGE, isUnfit: true }],
    ['0A000', 'what the server cannot do', OUTAGE],
    ['54000', 'a value too large for an index', OF_ROWS],
    ['XX002', 'an index that is rotten there', OF_ROWS],
    ['53100', 'a full disk', OUTAGE],
    ['58030', 'a disk that has failed', OUTAGE],
    // The class is in the first two digits only.
    ['40002', 'another one of that class', OUTAGE],
    ['12345', 'a class that nobody knows', OUTAGE],
  ])('%s, %s', (code, _what, expected) => {
    const failure = failureOfStatement(answered(code));
    expect(failure).toMatchObject({ ...expected, fenced: false, heldKeys: null, sqlState: code });
    expect(failure.message).toContain(`PostgreSQL answered ${code}: no`);
  });

  test('a prepared statement whose columns have changed: told by its place, whatever the language, or by its words', () => {
    for (const more of [
      { routine: 'RevalidateCachedQuery' },
      { message: 'cached plan must not change result type' },
    ])
      expect(failureOfStatement(answered('0A000', more))).toMatchObject({ ...OUTAGE, isUnfit: true });
  });

  test('no numbers left for transactions: not a matter of rows, although the code is that of a value too large', () => {
    for (const more of [
      { routine: 'GetNewTransactionId' },
      { message: 'database is not accepting commands to avoid wraparound data loss in database "x"' },
    ]) {
      const failure = failureOfStatement(answered('54000', more));
      expect(failure).toMatchObject(OUTAGE);
      expect(refusesWrites(failure)).toBe(true);
    }
  });

  test('which of them would meet any other write just the same', () => {
    const would = (code: string): boolean => refusesWrites(failureOfStatement(answered(code)));
    const codes = ['0A000', '21000', '2F005', '38000', '39P01', '42501', '54001', '55000', '58030', '53100'];
    expect(codes.filter((code) => !would(code))).toEqual([]);
    expect(['26000', '42P05', '55P03', '57014', '57P01', '53300', '08006', 'XX000'].filter(would)).toEqual(
      [],
    );
  });

  test('a lock on a row, which tells where it stands: it speaks against that row', () => {
    expect(failureOfStatement(answered('55P03', { where: 'while locking tuple (0,1)' }))).toMatchObject(
      OF_ROWS,
    );
    const untold = failureOfStatement(answered('55P03', { where: '' }));
    expect(untold).toMatchObject({ ...OUTAGE, isStalled: true });
  });

  test('what a person must know is said before it', () => {
    const messageOf = (code: string, more?: object): string =>
      failureOfStatement(answered(code, more)).message;
    expect(messageOf('25006')).toMatch(/^not a primary: /);
    expect(messageOf('22000')).toMatch(/^PostgreSQL rejects the content of this batch /);
    expect(messageOf('55P03', { where: 'there' })).toMatch(/^another transaction holds a lock on a row: /);
    expect(messageOf('58030')).toMatch(/^PostgreSQL answered /);
  });
});

test('no answer at all: nobody knows, and the way there is in doubt', () => {
  for (const error of [new Error('the connection was lost'), 'the connection was lost'])
    expect(failureOfStatement(error)).toMatchObject({
      ...OUTAGE,
      sqlState: null,
      message: 'the connection was lost',
    });
});

test('codes of the socket, and what is no text, are none of the server', () => {
  const sqlStates = [
    Object.assign(new Error('no'), { code: 'ECONNRESET' }),
    Object.assign(new Error('no'), { severity: 'ERROR' }),
    { code: 23_505, severity: 'ERROR' },
    { code: '23505', severity: 1 },
    null,
    undefined,
  ].map(sqlStateOf);
  expect(sqlStates).toEqual([null, null, null, null, null, null]);
  expect(sqlStateOf(answered('23505'))).toBe('23505');
});

test('a failure that is one already: as it is, with its code', () => {
  const failure = failureOfStatement(answered('23505'));
  expect(failureOfStatement(failure)).toBe(failure);
  expect(sqlStateOf(failure)).toBe('23505');
  expect(sqlStateOf(new RecordFailure('refused', 'no connection'))).toBeNull();
});

test('a failure that says no more: it speaks against the server, and nobody is named', () => {
  const { name, ...failure } = new RecordFailure('refused', 'no connection');
  expect([name, failure]).toEqual([
    'RecordFailure',
    {
      ...{ kind: 'refused', fenced: false, isOutage: true, ofRows: false, isRetryable: false },
      ...{ heldKeys: null, isStalled: false, isUnfit: false, sqlState: null },
    },
  ]);
});

test('in the terms of the port: kind, whose life it is, what it speaks against, and held keys only where they are known', () => {
  const told = toRecordError(new RecordFailure('unknown', 'held', { ofRows: true, heldKeys: ['a'] }));
  expect(told).toEqual({ kind: 'unknown', fenced: false, ofRows: true, heldKeys: ['a'], message: 'held' });
  const fenced = toRecordError(new RecordFailure('refused', 'another life', { fenced: true }));
  expect(fenced).toEqual({ kind: 'refused', fenced: true, ofRows: false, message: 'another life' });
  expect(toRecordError('lost')).toEqual({ kind: 'unknown', fenced: false, ofRows: false, message: 'lost' });
});

test('credentials in an address are never told', () => {
  const address = 'postgresql://admin:secret@db/cache';
  for (const error of [
    new RecordFailure('unknown', address),
    new SetupError(address),
    failureOfStatement(new Error(address)),
  ])
    expect(error.message).not.toContain('secret');
  expect(new SetupError('no rights').name).toBe('SetupError');
});
