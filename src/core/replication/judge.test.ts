/** What each kind of operation does to each kind of current record. */
import { describe, expect, test } from 'vitest';
import { CHANGE_WORK_BYTES, COMPARED_WORK_BYTES } from '../limits.ts';
import { ORIGIN_CLIENT, ORIGIN_LEGACY } from '../record.ts';
import type { KeyRecord } from '../record.ts';
import type { Change } from '../modify/change.ts';
import type { Expectation, WriteOperation } from '../operation.ts';
import { judge as judgeAt } from './judge.ts';
import type { Judgement } from './judge.ts';

const NOW = 1_000_000;
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (value: Uint8Array): string => new TextDecoder().decode(value);

function record(change: Partial<KeyRecord> = {}): KeyRecord {
  return {
    key: 'k',
    version: 4096 * 5 + 1,
    origin: ORIGIN_CLIENT,
    tombstone: false,
    value: bytes('7'),
    createdAt: 10,
    updatedAt: 20,
    expiresAt: 0,
    operationId: null,
    contentType: null,
    ...change,
  };
}

const tombstone = record({ tombstone: true, value: bytes('') });
const expired = record({ expiresAt: NOW - 1 });
const expiredFill = record({ expiresAt: NOW - 1, origin: ORIGIN_LEGACY });

function judge(operation: WriteOperation, base: KeyRecord | undefined, wallNow: number): Judgement {
  return judgeAt(operation, base, wallNow, false, { bytes: 0 });
}

function written(operation: WriteOperation, base: KeyRecord | undefined): KeyRecord {
  const judgement = judge(operation, base, NOW);
  if (judgement.kind !== 'write') throw new Error(`expected a write, got ${judgement.kind}`);
  return { ...judgement.content, version: 0 };
}

const none = { key: 'k', operationId: null };
const put = (ttlMs = 0): WriteOperation => ({ ...none, kind: 'put', value: bytes('new'), ttlMs });
const increment = (delta: bigint): WriteOperation => ({ ...none, kind: 'increment', delta });
const fill: WriteOperation = { ...none, kind: 'fill', value: bytes('old') };

describe('put and delete', () => {
  test('a live record is replaced: it keeps the time it came into being', () => {
    expect(written(put(), record())).toMatchObject({
      createdAt: 10,
      updatedAt: NOW,
      expiresAt: 0,
      tombstone: false,
    });
  });

  test.each([undefined, tombstone, expired])(
    'nothing live stands: the record comes into being now',
    (base) => {
      expect(written(put(), base).createdAt).toBe(NOW);
    },
  );

  test('a time to live: becomes an absolute expiry', () => {
    expect(written(put(500), record()).expiresAt).toBe(NOW + 500);
  });

  test('a delete of a key never seen: leaves its tombstone all the same', () => {
    expect(written({ ...none, kind: 'delete' }, undefined)).toMatchObject({
      tombstone: true,
      origin: ORIGIN_CLIENT,
    });
  });
});

describe('the content type', () => {
  const typed = record({ contentType: 'text/plain' });
  const json = { contentType: 'application/json' };

  test('of a value that is put is what it comes with; without one it has none, whatever stood', () => {
    expect(written({ ...put(), ...json }, typed).contentType).toBe('application/json');
    expect(written(put(), typed).contentType).toBeNull();
    const replaced: WriteOperation = {
      ...{ ...none, kind: 'compareAndPut', expect: { kind: 'version', version: typed.version } },
      ...{ value: bytes('{}'), ttlMs: 0, ...json },
    };
    expect(written(replaced, typed).contentType).toBe('application/json');
    expect(written({ ...fill, ...json }, undefined).contentType).toBe('application/json');
  });

  test('is kept by an increment, and is gone with the value', () => {
    expect(written(increment(1n), typed).contentType).toBe('text/plain');
    expect(written(increment(1n), undefined).contentType).toBeNull();
    expect(written({ ...none, kind: 'delete' }, typed).contentType).toBeNull();
  });

  test('is kept by a modification that sets no other value', () => {
    const changes: Change[] = [{ kind: 'append', value: bytes('1') }];
    const rest = { kind: 'modify', key: 'k', operationId: null, valueBytesMax: 100, expect: null } as const;
    expect(written({ ...rest, changes }, typed).contentType).toBe('text/plain');
  });
});

describe('conditions', () => {
  const to = (expectation: object): WriteOperation =>
    ({
      ...none,
      kind: 'compareAndPut',
      expect: expectation,
      value: bytes('new'),
      ttlMs: 0,
    }) as WriteOperation;

  test('absent: holds where nothing stands, on a tombstone and on an expired record, and nowhere else', () => {
    for (const base of [undefined, tombstone, expired])
      expect(judge(to({ kind: 'absent' }), base, NOW).kind).toBe('write');
    expect(judge(to({ kind: 'absent' }), record(), NOW)).toMatchObject({
      kind: 'conditionFailed',
      current: record(),
    });
  });

  test('version: must be the one that stands, and what stands must be live', () => {
    expect(judge(to({ kind: 'version', version: record().version }), record(), NOW).kind).toBe('write');
    expect(judge(to({ kind: 'version', version: 1 }), record(), NOW).kind).toBe('conditionFailed');
    expect(judge(to({ kind: 'version', version: expired.version }), expired, NOW)).toMatchObject({
      current: undefined,
    });
  });

  test('value: every byte must be equal', () => {
    expect(judge(to({ kind: 'value', value: bytes('7') }), record(), NOW).kind).toBe('write');
    for (const other of ['', '8', '77']) {
      expect(judge(to({ kind: 'value', value: bytes(other) }), record(), NOW).kind).toBe('conditionFailed');
    }
  });
});

test('what it costs to look at what stands is counted, whatever comes of it', () => {
  const cost = (operation: WriteOperation, base: KeyRecord | undefined): number => {
    const meter = { bytes: 0 };
    judgeAt(operation, base, NOW, false, meter);
    return meter.bytes;
  };
  const expect1000: Expectation = { kind: 'value', value: new Uint8Array(1_000) };
  const large = record({ value: new Uint8Array(1_000).fill(1) });
  const compare: WriteOperation = { ...none, kind: 'compareAndDelete', expect: expect1000 };
  const changes: Change[] = [{ kind: 'append', value: bytes('x') }];
  const modify: WriteOperation = {
    ...{ kind: 'modify', key: 'k', operationId: null, valueBytesMax: 1_000, expect: null },
    changes,
  };
  expect(cost(compare, large)).toBe(CHANGE_WORK_BYTES + 1_000 * COMPARED_WORK_BYTES);
  expect(cost(compare, record())).toBe(CHANGE_WORK_BYTES);
  expect(cost({ ...modify, expect: expect1000 }, large)).toBe(cost(compare, large));
  expect(cost(modify, record())).toBe(CHANGE_WORK_BYTES + 2);
  expect(cost(increment(1n), record())).toBe(CHANGE_WORK_BYTES);
  expect(cost(put(), large)).toBe(0);
});

describe('increment', () => {
  test('an absent key counts as 0; the expiry of a live one stays', () => {
    expect(text(written(increment(-3n), undefined).value)).toBe('-3');
    expect(written(increment(1n), record({ expiresAt: NOW + 9 }))).toMatchObject({ expiresAt: NOW + 9 });
  });

  test.each(['', ' 1', '+1', '01', '1.0', '0x1', '-0', '9223372036854775808', 'abc'])(
    '%j is no integer',
    (value) => {
      const judgement = judge(increment(1n), record({ value: bytes(value) }), NOW);
      expect(judgement).toMatchObject({ kind: 'failed', failure: { code: 'not_an_integer' } });
    },
  );

  test('beyond 64 bits: refused at both ends, and the ends themselves are reached', () => {
    const most = record({ value: bytes('9223372036854775807') });
    const least = record({ value: bytes('-9223372036854775808') });
    expect(judge(increment(1n), most, NOW)).toMatchObject({ failure: { code: 'integer_overflow' } });
    expect(judge(increment(-1n), least, NOW)).toMatchObject({ failure: { code: 'integer_overflow' } });
    expect(text(written(increment(0n), most).value)).toBe('9223372036854775807');
    expect(text(written(increment(-1n), record({ value: bytes('-9223372036854775807') })).value)).toBe(
      '-9223372036854775808',
    );
  });
});

describe('fills and expiry', () => {
  test('a fill is stored where nothing stood or a fill has expired, and marked as one', () => {
    for (const base of [undefined, expiredFill]) expect(written(fill, base).origin).toBe(ORIGIN_LEGACY);
  });

  test.each([record(), tombstone, expired])(
    'a native value, deletion or expiry: blocks the fill for ever',
    (base) => {
      expect(judge(fill, base, NOW).kind).toBe('conditionFailed');
    },
  );

  test('an expiry deletes the exact version whose time has passed, and keeps whose it was', () => {
    const at = (version: number): WriteOperation => ({ ...none, kind: 'expire', version });
    expect(written(at(expiredFill.version), expiredFill)).toMatchObject({
      tombstone: true,
      origin: ORIGIN_LEGACY,
    });
    expect(judge(at(expired.version + 1), expired, NOW).kind).toBe('conditionFailed');
    expect(judge(at(record().version), record(), NOW).kind).toBe('conditionFailed');
  });
});

describe('modify', () => {
  const modify = (changes: Change[], expectation: Expectation | null = null): WriteOperation => ({
    ...{ kind: 'modify', key: 'k', operationId: null, valueBytesMax: 1_000 },
    ...{ expect: expectation, changes },
  });
  const add: Change = { kind: 'increment', delta: 1n };
  const remove: Change = { kind: 'remove', tellPrevious: false };
  const read: Change = { kind: 'read', tellPrevious: true };

  test('changes become one record, with the expiry that stands and the result of each', () => {
    const judgement = judge(modify([add, add]), record({ expiresAt: NOW + 5 }), NOW);
    expect(judgement).toMatchObject({
      kind: 'write',
      content: { createdAt: 10, updatedAt: NOW, expiresAt: NOW + 5, origin: ORIGIN_CLIENT },
      results: [{ text: '8' }, { text: '9' }],
    });
    expect(text(written(modify([add, add]), record()).value)).toBe('9');
  });

  test.each([undefined, tombstone, expired])('on nothing live it begins with nothing', (base) => {
    expect(judge(modify([read, add]), base, NOW)).toMatchObject({
      content: { createdAt: NOW },
      results: [{ existed: false }, { text: '1' }],
    });
  });

  test('what changes nothing writes nothing, and names the version that stands', () => {
    const results = [{ existed: true }];
    expect(judge(modify([read]), record(), NOW)).toMatchObject({
      kind: 'unchanged',
      version: 20481,
      results,
    });
    expect(judge(modify([remove]), undefined, NOW)).toMatchObject({ kind: 'unchanged', version: 0 });
    expect(judge(modify([remove]), tombstone, NOW)).toMatchObject({ kind: 'unchanged', version: 20481 });
  });

  test('a removal leaves a tombstone', () => {
    expect(written(modify([remove]), record())).toMatchObject({ tombstone: true, expiresAt: 0, origin: 0 });
  });

  test('where the route reads legacy: also of what is absent, unless a native deletion stands', () => {
    for (const base of [undefined, expiredFill]) {
      expect(judgeAt(modify([remove]), base, NOW, true, { bytes: 0 })).toMatchObject({
        kind: 'write',
        content: { tombstone: true, origin: ORIGIN_CLIENT },
        results: [{ existed: false }],
      });
    }
    expect(judgeAt(modify([remove]), tombstone, NOW, true, { bytes: 0 }).kind).toBe('unchanged');
    expect(judgeAt(modify([read]), undefined, NOW, true, { bytes: 0 }).kind).toBe('unchanged');
  });

  test('an expectation of the whole: another version, or any where none was, and nothing is done', () => {
    const seen = (version: number) => modify([add], { kind: 'version', version });
    const unseen = modify([add], { kind: 'absent' });
    expect(judge(seen(record().version), record(), NOW).kind).toBe('write');
    expect(judge(seen(1), record(), NOW)).toMatchObject({ kind: 'conditionFailed', current: record() });
    expect(judge(seen(expired.version), expired, NOW)).toEqual({
      kind: 'conditionFailed',
      current: undefined,
    });
    expect(judge(unseen, expired, NOW).kind).toBe('write');
    expect(judge(unseen, record(), NOW).kind).toBe('conditionFailed');
  });

  test('answers that would not fit a frame: refused as a whole', () => {
    const large = record({ value: new Uint8Array(1024 * 1024) });
    expect(judge(modify([read, read]), large, NOW)).toMatchObject({ failure: { code: 'invalid_argument' } });
  });
});
