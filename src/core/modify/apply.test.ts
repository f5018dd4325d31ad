/** The effect of each change, compared with the Redis 7 command it stands for; and lists of changes. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  CHANGE_WORK_BYTES,
  DIGIT_WORK_BYTES,
  MODIFY_CHANGES_MAX,
  MODIFY_WORK_BYTES_MAX,
  TTL_MS_MAX,
  VALUE_BYTES_MAX,
} from '../limits.ts';
import type { KeyRecord } from '../record.ts';
import { applyChanges } from './apply.ts';
import type { Applied } from './apply.ts';
import { changesFault } from './change.ts';
import type { Change, ChangeResult, ExpireCondition } from './change.ts';

const NOW = 1_000_000;
const LATER = NOW + 500;
const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1');
const text = (value: Uint8Array | null | undefined): string | null =>
  value === null || value === undefined ? null : Buffer.from(value).toString('latin1');

function record(value: string, expiresAt = 0): KeyRecord {
  const times = { createdAt: 10, updatedAt: 20, expiresAt };
  return {
    key: 'k',
    version: 4097,
    origin: 0,
    tombstone: false,
    value: bytes(value),
    ...times,
    operationId: null,
    contentType: null,
  };
}

function run(base: KeyRecord | undefined, ...changes: Change[]): Applied & { last: ChangeResult } {
  expect(changesFault(changes)).toBeUndefined();
  const applied = applyChanges(changes, base, NOW, 100, { bytes: 0 });
  if ('code' in applied) throw new Error(applied.message);
  return { ...applied, last: applied.results.at(-1)! };
}

const set = (value: string, change: Partial<Change & { kind: 'set' }> = {}): Change => ({
  kind: 'set',
  value: bytes(value),
  condition: 'always',
  expiresAt: 0,
  tellPrevious: false,
  ...change,
});
const append = (value: string): Change => ({ kind: 'append', value: bytes(value) });
const overwrite = (offset: number, value: string): Change => ({
  kind: 'overwrite',
  offset,
  value: bytes(value),
});
const increment = (delta: bigint): Change => ({ kind: 'increment', delta });
const incrementDecimal = (delta: string): Change => ({ kind: 'incrementDecimal', delta });
const remove: Change = { kind: 'remove', tellPrevious: false };
const expire = (expiresAt: number, condition: ExpireCondition = 'always'): Change => ({
  kind: 'expire',
  expiresAt,
  condition,
  tellPrevious: false,
});
const persist: Change = { kind: 'persist', tellPrevious: false };
const read: Change = { kind: 'read', tellPrevious: true };

describe('set', () => {
  test('always: the value is new, its expiry gone, and what was there is told on demand alone', () => {
    const plain = run(record('old', LATER), set('new'));
    expect(plain.isChanged).toBe(true);
    expect(plain.standing).toMatchObject({ createdAt: 10, expiresAt: 0 });
    expect(plain.last).toMatchObject({
      applied: true,
      existed: true,
      previous: null,
      length: 3,
      expiresAt: 0,
    });
    expect(text(run(record('old'), set('new', { tellPrevious: true })).last.previous)).toBe('old');
  });

  test.each([
    ['ifAbsent', undefined, true],
    ['ifAbsent', record('old'), false],
    ['ifPresent', undefined, false],
    ['ifPresent', record('old'), true],
  ] as const)('%s on %s: applied %s', (condition, base, applied) => {
    const done = run(base, set('new', { condition, tellPrevious: true }));
    expect(done.last).toMatchObject({ applied, existed: base !== undefined, failure: null });
    expect(text(done.last.previous)).toBe(base === undefined ? null : 'old');
    expect(done.isChanged).toBe(applied);
  });

  test('an expiry: kept, given, or passed already, which deletes', () => {
    expect(run(record('old', LATER), set('new', { expiresAt: 'keep' })).last.expiresAt).toBe(LATER);
    expect(run(undefined, set('new', { expiresAt: 'keep' })).last.expiresAt).toBe(0);
    expect(run(undefined, set('new', { expiresAt: LATER })).last.expiresAt).toBe(LATER);
    const past = run(record('old'), set('new', { expiresAt: NOW }), read);
    expect(past.standing).toBeUndefined();
    expect(past.results).toMatchObject([{ applied: true, length: 0 }, { existed: false }]);
  });

  test('the same value again: is written anew, for who watches the key', () => {
    expect(run(record('old'), set('old')).isChanged).toBe(true);
  });
});

describe('append and overwrite', () => {
  test('append: to what stands, keeping its expiry, or creating it', () => {
    const done = run(record('ab', LATER), append('cd'));
    expect(text(done.standing!.value)).toBe('abcd');
    expect(done.last).toMatchObject({ length: 4, expiresAt: LATER });
    expect(run(undefined, append('cd')).standing).toMatchObject({ createdAt: NOW, expiresAt: 0 });
  });

  test('nothing to append: changes nothing, but creates an empty value', () => {
    expect(run(record('ab'), append(''))).toMatchObject({ isChanged: false, last: { length: 2 } });
    expect(run(undefined, append(''))).toMatchObject({ isChanged: true, last: { length: 0 } });
  });

  test.each([
    ['Hello World', 6, 'Redis', 'Hello Redis'],
    ['abcdef', 1, 'XY', 'aXYdef'],
    ['ab', 1, 'XYZ', 'aXYZ'],
    ['ab', 4, 'X', 'ab\0\0X'],
    [undefined, 2, 'X', '\0\0X'],
  ])('overwrite %s from %i with %s: %j', (base, offset, value, expected) => {
    const done = run(base === undefined ? undefined : record(base, LATER), overwrite(offset, value));
    expect(text(done.standing!.value)).toBe(expected);
    expect(done.last).toMatchObject({ length: expected.length, expiresAt: base === undefined ? 0 : LATER });
  });

  test('overwrite with nothing: changes nothing, wherever', () => {
    expect(run(undefined, overwrite(5, ''))).toMatchObject({ isChanged: false, last: { length: 0 } });
    expect(run(record('ab'), overwrite(5, ''))).toMatchObject({ isChanged: false, last: { length: 2 } });
  });

  test('what stands is never written into', () => {
    const base = record('abc');
    run(base, overwrite(0, 'X'), append('Y'), overwrite(1, 'Z'));
    expect(text(base.value)).toBe('abc');
  });
});

describe('increments', () => {
  test.each([
    [undefined, 5n, '5'],
    ['10', -11n, '-1'],
    ['9223372036854775806', 1n, '9223372036854775807'],
  ])('%s and %i make %s, with the expiry that stands', (base, delta, expected) => {
    const done = run(base === undefined ? undefined : record(base, LATER), increment(delta));
    expect(text(done.standing!.value)).toBe(expected);
    expect(done.last).toMatchObject({ text: expected, expiresAt: base === undefined ? 0 : LATER });
  });

  test.each([
    ['9223372036854775807', 1n, 'integer_overflow'],
    ['-9223372036854775808', -1n, 'integer_overflow'],
    ['9223372036854775808', 0n, 'not_an_integer'],
    ['01', 0n, 'not_an_integer'],
    ['-0', 0n, 'not_an_integer'],
    ['+1', 0n, 'not_an_integer'],
    [' 1', 0n, 'not_an_integer'],
    ['', 0n, 'not_an_integer'],
    ['1.0', 0n, 'not_an_integer'],
  ] as const)('%s and %i: %s, and nothing changes', (base, delta, code) => {
    const done = run(record(base), increment(delta));
    expect(done).toMatchObject({ isChanged: false, last: { applied: false, text: null, failure: { code } } });
  });

  test('decimals: exact, and told as text', () => {
    expect(run(record('0.1', LATER), incrementDecimal('0.2')).last).toMatchObject({
      text: '0.3',
      length: 3,
      expiresAt: LATER,
    });
    expect(run(record('x'), incrementDecimal('1')).last.failure!.code).toBe('not_a_number');
    expect(run(record('1'), incrementDecimal('inf')).last.failure!.code).toBe('number_overflow');
  });
});

describe('remove, expire, persist, read', () => {
  test('remove: tells whether there was anything, and writes nothing where there was not', () => {
    const done = run(record('old'), { kind: 'remove', tellPrevious: true });
    expect(done).toMatchObject({ standing: undefined, isChanged: true, isRemoved: true });
    expect(done.last).toMatchObject({ applied: true, existed: true, length: 0 });
    expect(text(done.last.previous)).toBe('old');
    expect(run(undefined, remove)).toMatchObject({
      isChanged: false,
      isRemoved: true,
      last: { applied: false, existed: false },
    });
  });

  test.each<[ExpireCondition, number, number, boolean]>([
    ['always', 0, LATER, true],
    ['always', LATER + 1, LATER, true],
    ['ifNone', 0, LATER, true],
    ['ifNone', LATER + 1, LATER, false],
    ['ifSome', 0, LATER, false],
    ['ifSome', LATER + 1, LATER, true],
    ['ifLater', 0, LATER, false],
    ['ifLater', LATER - 1, LATER, true],
    ['ifLater', LATER, LATER, false],
    ['ifLater', LATER + 1, LATER, false],
    ['ifSooner', 0, LATER, true],
    ['ifSooner', LATER - 1, LATER, false],
    ['ifSooner', LATER, LATER, false],
    ['ifSooner', LATER + 1, LATER, true],
    ['ifSomeAndSooner', 0, LATER, false],
    ['ifSomeAndSooner', LATER - 1, LATER, false],
    ['ifSomeAndSooner', LATER + 1, LATER, true],
  ])('expire %s, where %i stands, at %i: applied %s', (condition, current, next, applied) => {
    const done = run(record('v', current), expire(next, condition));
    expect(done.last).toMatchObject({ applied, expiresAt: applied ? next : current });
    expect(done.isChanged).toBe(applied);
    expect(run(undefined, expire(next, condition))).toMatchObject({
      isChanged: false,
      last: { applied: false },
    });
  });

  test('a time that has passed deletes, where its condition holds', () => {
    expect(run(record('v'), expire(NOW))).toMatchObject({ standing: undefined, last: { applied: true } });
    expect(run(record('v'), expire(0, 'ifLater'))).toMatchObject({
      isChanged: false,
      last: { applied: false },
    });
  });

  test('the expiry that stands already: applied, and nothing is written', () => {
    expect(run(record('v', LATER), expire(LATER))).toMatchObject({
      isChanged: false,
      last: { applied: true },
    });
  });

  test('persist: only of what expires', () => {
    expect(run(record('v', LATER), persist)).toMatchObject({
      isChanged: true,
      last: { applied: true, expiresAt: 0 },
    });
    expect(run(record('v'), persist)).toMatchObject({
      isChanged: false,
      last: { applied: false, existed: true },
    });
    expect(run(undefined, persist)).toMatchObject({
      isChanged: false,
      last: { applied: false, existed: false },
    });
  });

  test('read: tells all, changes nothing', () => {
    const done = run(record('abc', LATER), read);
    expect(done).toMatchObject({ isChanged: false, last: { applied: true, length: 3, expiresAt: LATER } });
    expect(text(done.last.previous)).toBe('abc');
    expect(run(undefined, read).last).toMatchObject({ applied: false, existed: false, previous: null });
  });
});

describe('limits', () => {
  test.each([set('x'.repeat(101)), append('x'.repeat(98)), overwrite(100, 'x'), overwrite(2 ** 50, 'x')])(
    'a value that would be too large: refused by the name of the limit (%#)',
    (change) => {
      const done = run(record('abc'), change);
      expect(done.isChanged).toBe(false);
      expect(done.last.failure).toMatchObject({
        code: 'invalid_argument',
        message: expect.stringContaining('more than the limit of 100 (limits.valueBytesMax)') as string,
      });
    },
  );

  test('whoever asks for more, the largest value of all stays the largest', () => {
    const change = overwrite(VALUE_BYTES_MAX, 'x');
    const applied = applyChanges([change], undefined, NOW, 2 ** 30, { bytes: 0 });
    expect(applied).toMatchObject({ results: [{ failure: { code: 'invalid_argument' } }] });
  });

  test('an expiry that is too far away is refused', () => {
    const tooFar = NOW + TTL_MS_MAX + 1;
    expect(run(record('v'), expire(tooFar)).last.failure!.code).toBe('invalid_argument');
    expect(run(record('v'), set('x', { expiresAt: tooFar })).last.failure!.code).toBe('invalid_argument');
  });
});

describe('lists', () => {
  test('each change is judged on what the one before it made; one that fails leaves the others alone', () => {
    const done = run(undefined, set('10'), increment(5n), append('x'), increment(1n), read);
    expect(text(done.standing!.value)).toBe('15x');
    expect(done.results.map((each) => each.failure?.code ?? null)).toEqual([
      null,
      null,
      null,
      'not_an_integer',
      null,
    ]);
    expect(text(done.last.previous)).toBe('15x');
  });

  test('a value that came and went within the list was never there', () => {
    expect(run(undefined, set('a'), remove)).toMatchObject({ isChanged: false, isRemoved: true });
    expect(run(record('a'), remove, set('b')).standing).toMatchObject({ createdAt: NOW });
  });

  const anyChange = fc.oneof(
    fc.constantFrom<Change[]>(
      remove,
      persist,
      read,
      set('7'),
      append('8'),
      append(''),
      incrementDecimal('0.5'),
    ),
    fc.constantFrom<Change[]>(overwrite(1, '9'), overwrite(3, ''), increment(3n), expire(LATER), expire(NOW)),
    fc.constantFrom<Change[]>(set('1', { condition: 'ifAbsent' }), set('2', { expiresAt: 'keep' })),
  );
  const anyBase = fc.constantFrom(undefined, record('5'), record('x', LATER), record(''));

  test('a list does what its changes do one by one, each as a write of its own', () => {
    fc.assert(
      fc.property(anyBase, fc.array(anyChange, { minLength: 1, maxLength: 8 }), (base, changes) => {
        const together = run(base, ...changes);
        let standing = base;
        for (const [index, change] of changes.entries()) {
          const alone = run(standing, change);
          expect(together.results[index]).toEqual(alone.last);
          standing = alone.standing === undefined ? undefined : { ...record(''), ...alone.standing };
        }
        expect(together.standing?.value).toEqual(standing?.value);
        expect(together.standing?.expiresAt).toBe(standing?.expiresAt);
      }),
    );
  });

  test('nothing changed: the record stays as it was', () => {
    fc.assert(
      fc.property(anyBase, fc.array(anyChange, { minLength: 1, maxLength: 8 }), (base, changes) => {
        const done = run(base, ...changes);
        if (!done.isChanged) expect(done.standing).toBe(base);
      }),
    );
  });
});

describe('what a list costs', () => {
  const cost = (...changes: Change[]): number => {
    const meter = { bytes: 0 };
    expect(applyChanges(changes, undefined, NOW, VALUE_BYTES_MAX, meter)).toHaveProperty('results');
    return meter.bytes;
  };
  const wide = overwrite(VALUE_BYTES_MAX - 1, 'x');

  test('every value counts that it makes, also of a list that comes to nothing in the end', () => {
    const made = cost(wide, overwrite(0, 'y'), remove) - 3 * CHANGE_WORK_BYTES;
    expect(made).toBe(2 * VALUE_BYTES_MAX);
  });

  test('decimal numbers count by the digits that are read and made, however few their exponent takes', () => {
    expect(cost(incrementDecimal('1e4932'))).toBeGreaterThan(2 * 4_932 * DIGIT_WORK_BYTES);
    expect(cost(incrementDecimal('1e-4950'))).toBeGreaterThan(4_950 * DIGIT_WORK_BYTES);
    expect(cost(incrementDecimal('0.1'))).toBeLessThan(2 * CHANGE_WORK_BYTES);
  });

  test('the most changes of an ordinary kind are no more than one list may cost', () => {
    cost(...Array.from({ length: MODIFY_CHANGES_MAX }, () => incrementDecimal('0.000000001')));
  });

  test('more than one list may cost: it is left where it stands, and nothing comes of it', () => {
    const meter = { bytes: 0 };
    const changes = Array.from({ length: MODIFY_CHANGES_MAX }, () => wide);
    const applied = applyChanges(changes, undefined, NOW, VALUE_BYTES_MAX, meter);
    expect(applied).toMatchObject({ code: 'invalid_argument' });
    expect(meter.bytes).toBeLessThan(MODIFY_WORK_BYTES_MAX + 2 * VALUE_BYTES_MAX);
  });
});

describe('a list that cannot be', () => {
  test.each([
    [[], 'no changes'],
    [Array.from({ length: 257 }, () => read), '257 changes, more than the limit of 256'],
    [[set('x'.repeat(2 ** 20)), append('x'.repeat(2 ** 20))], 'bytes, more than the limit'],
    [[set('x'.repeat(2 ** 22))], '4194304 bytes, more than the limit of 1048576 (limits.valueBytesMax)'],
    [[expire(-1)], 'not a whole number'],
    [[overwrite(0.5, 'x')], 'not a whole number'],
    [[set('x', { expiresAt: Number.NaN })], 'not a whole number'],
    [[incrementDecimal('1'.repeat(5_120))], 'more than 5119 characters'],
  ])('%#: it is said why', (changes, reason) => {
    expect(changesFault(changes)).toContain(reason);
  });

  test('a decimal of the most digits that Redis takes is one that can', () => {
    expect(changesFault([incrementDecimal('1'.repeat(5_119))])).toBeUndefined();
  });
});
