/** How many rows are requested at a time when one of them cannot be read. */
import { expect, test } from 'vitest';
import type { RecordError, RecordPlace, SystemOfRecord } from '../../ports/system-of-record.ts';
import { RecoveryRows } from './recovery-rows.ts';

const ROTTEN = { kind: 'unknown', fenced: false, ofRows: true, message: 'rotten' } as RecordError;
const AWAY = { ...ROTTEN, ofRows: false, message: 'away' };

/** Rows 0 to 999 of slot 1, some of which cannot be read. */
function reading(unreadable: readonly number[]) {
  const asked: number[] = [];
  const outage = { isOn: false };
  const keyOf = (at: number): string => String(at).padStart(3, '0');
  const behind = ({ slot, key }: RecordPlace): number =>
    slot > 1 ? 1_000 : key === '' ? 0 : Number(key) + 1;
  const systemOfRecord = {
    scan: (place: RecordPlace, max: number, done: (error: RecordError | null, rows: unknown[]) => void) => {
      asked.push(max);
      const first = behind(place);
      const page = Array.from({ length: Math.min(max, 1_000 - first) }, (_, at) => first + at);
      if (outage.isOn) return done(AWAY, []);
      if (page.some((at) => unreadable.includes(at))) return done(ROTTEN, []);
      done(
        null,
        page.map((at) => ({ slot: 1, record: { key: keyOf(at) } })),
      );
    },
    versionsOf: (slot: number, key: string, _max: number, done: (error: null, rows: unknown[]) => void) => {
      const first = behind({ slot, key });
      done(null, first > 999 ? [] : [{ key: keyOf(first), version: 1, checksum: 1, tombstone: false }]);
    },
  };
  const rows = new RecoveryRows(systemOfRecord as unknown as SystemOfRecord);
  const read = (from: number): unknown => {
    let told: unknown;
    rows.read({ slot: 1, key: from === 0 ? '' : keyOf(from - 1) }, (error, found) => {
      told = error?.message ?? (found.kind === 'rows' ? found.rows.length : found);
    });
    return told;
  };
  return { read, asked, outage };
}

test('one row of a page cannot be read: those before it arrive, then it is named, and pages have full size again', () => {
  const { read, asked } = reading([150]);
  const pageMax = read(300) as number;
  let from = 0;
  for (let told = read(0); typeof told === 'number'; told = read(from)) from += told;
  expect(from).toBe(150);
  expect(read(150)).toMatchObject({ kind: 'unreadable', row: { key: '150' }, reason: 'rotten' });
  expect(read(151)).toBe(pageMax);
  expect(asked.length).toBeLessThan(60);
});

test('the unreadable row is skipped because it is in a slot that was not requested: pages soon have full size again', () => {
  const { read } = reading([150]);
  const pageMax = read(300) as number;
  expect(read(0)).toBe(1);
  let from = 300;
  for (let pages = 0; pages < 7; pages += 1) from += read(from) as number;
  expect(read(from)).toBe(pageMax);
});

test('PostgreSQL is away: nothing is said of any row, and a page is as large as before', () => {
  const { read, asked, outage } = reading([]);
  outage.isOn = true;
  expect([read(0), read(0)]).toEqual(['away', 'away']);
  expect(new Set(asked).size).toBe(1);
});
