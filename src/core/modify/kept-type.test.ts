/** What happens to the content type of a value that is changed. */
import { describe, expect, test } from 'vitest';
import type { KeyRecord } from '../record.ts';
import { applyChanges } from './apply.ts';
import type { Applied } from './apply.ts';
import { changesFault } from './change.ts';
import type { Change } from './change.ts';

const NOW = 1_000_000;
const LATER = NOW + 500;
const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1');
const typed: KeyRecord = {
  ...{ key: 'k', version: 4097, origin: 0, tombstone: false, value: bytes('7') },
  ...{ createdAt: 10, updatedAt: 20, expiresAt: LATER, operationId: null, contentType: 'text/plain' },
};

function run(base: KeyRecord | undefined, ...changes: Change[]): Applied {
  const applied = applyChanges(changes, base, NOW, 100, { bytes: 0 });
  if ('code' in applied) throw new Error(applied.message);
  return applied;
}

const set = (value: string, change: Partial<Change & { kind: 'set' }> = {}): Change => ({
  ...{ kind: 'set', value: bytes(value), condition: 'always', expiresAt: 0, tellPrevious: false },
  ...change,
});
const append: Change = { kind: 'append', value: bytes('1') };
const quiet = { tellPrevious: false } as const;

describe('the content type of what stands', () => {
  test.each<[string, Change]>([
    ['append', append],
    ['overwrite', { kind: 'overwrite', offset: 0, value: bytes('1') }],
    ['increment', { kind: 'increment', delta: 1n }],
    ['incrementDecimal', { kind: 'incrementDecimal', delta: '0.5' }],
    ['expire', { kind: 'expire', expiresAt: LATER + 1, condition: 'always', ...quiet }],
    ['persist', { kind: 'persist', ...quiet }],
  ])('%s changes it in part: it keeps it', (_what, change) => {
    const { standing, isChanged } = run(typed, change);
    expect([isChanged, standing!.contentType]).toEqual([true, 'text/plain']);
  });

  test('set brings its own, or none, also where it keeps the time of expiry', () => {
    expect(run(typed, set('new')).standing!.contentType).toBeNull();
    expect(run(typed, set('new', { expiresAt: 'keep' })).standing!.contentType).toBeNull();
    expect(run(typed, set('{}', { contentType: 'application/json' })).standing!.contentType).toBe(
      'application/json',
    );
  });

  test('what is made of nothing, or of what was removed in the same list, has none', () => {
    expect(run(undefined, append).standing!.contentType).toBeNull();
    expect(run(typed, { kind: 'remove', ...quiet }, append).standing!.contentType).toBeNull();
  });

  test('one that is no media type: the list is refused, with the limit', () => {
    expect(changesFault([set('new', { contentType: 'html' })])).toContain('255 bytes');
  });
});
