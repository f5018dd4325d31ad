/** What a scrubber concludes from two copies, and when it reads on. */
import { describe, expect, test } from 'vitest';
import { SCRUB_YIELD_MS_MAX } from '../limits.ts';
import { ScrubPace, judgeCopy, judgeRow, mayStandIn } from './scrub.ts';
import type { OwnCopy } from './scrub.ts';
import { makeVersion } from '../version.ts';

const at = (counter: number, checksum = 1, tombstone = false) => {
  return { version: makeVersion(counter, 2), checksum, tombstone };
};
const row = (counter: number, checksum = 1, isDamaged = false) => ({ ...at(counter, checksum), isDamaged });

describe('another owner tells what it has at rest', () => {
  test.each<[string, OwnCopy, ReturnType<typeof at>, string]>([
    ['the same', at(5), at(5), 'leave'],
    ['more than is here', at(4), at(5), 'behind'],
    ['a key that is not here', 'absent', at(5), 'behind'],
    ['less: it was written since, or the other finds out', at(6), at(5), 'leave'],
    ['the same version with another content', at(5, 1), at(5, 2), 'conflict'],
    ['anything, of a key in flight here', 'inFlight', at(9), 'leave'],
    ['anything, of a record that is damaged here: repair asks for it', 'damaged', at(9), 'leave'],
    ['a deletion above the floor', 'absent', at(4, 1, true), 'behind'],
    ['a deletion at the floor: it was forgotten here', 'absent', at(3, 1, true), 'leave'],
    ['a value at the floor: values are not forgotten', 'absent', at(3), 'behind'],
    ['a deletion at the floor, above what is here', at(2), at(3, 1, true), 'behind'],
  ])('%s', (_what, own, told, verdict) => expect(judgeCopy(own, told, 3)).toBe(verdict));
});

describe('PostgreSQL tells what stands', () => {
  const lacks = undefined;
  test.each<[string, OwnCopy, ReturnType<typeof at> | undefined, ReturnType<typeof row> | undefined, string]>(
    [
      ['the same', at(5), at(5), row(5), 'leave'],
      ['less than was here when it was asked, and still is', at(5), at(5), row(4), 'rowBehind'],
      ['nothing, and it was here all the while', at(5), at(5), lacks, 'rowBehind'],
      ['less than what came meanwhile: it was asked too early', at(6), at(5), row(5), 'leave'],
      ['nothing of what came meanwhile', at(6), lacks, lacks, 'leave'],
      ['more than any owner has', at(5), at(5), row(6), 'rowAhead'],
      ['a key that no owner has', 'absent', lacks, row(6), 'rowAhead'],
      [
        'one at the floor that no owner has: it would come back from the dead',
        'absent',
        lacks,
        row(3),
        'debris',
      ],
      ['the same version with another content', at(5, 1), at(5, 1), row(5, 2), 'conflict'],
      ['that version, and what belongs to it is lost', at(5), at(5), row(5, 1, true), 'rowDamaged'],
      [
        'that of what came meanwhile, damaged: it is at rest here',
        at(6),
        at(5),
        row(6, 1, true),
        'rowDamaged',
      ],
      ['that version, with a checksum that is lost, too', at(5), at(5), row(5, 2, true), 'rowDamaged'],
      ['less, and that damaged: it is replaced', at(5), at(5), row(4, 1, true), 'rowBehind'],
      ['more, and that damaged', at(5), at(5), row(6, 1, true), 'rowAhead'],
      ['a damaged row, of a record that is damaged here, too', 'damaged', lacks, row(5, 1, true), 'leave'],
      ['anything, of a key in flight here', 'inFlight', at(5), lacks, 'leave'],
      ['anything, of a damaged record', 'damaged', at(5), lacks, 'leave'],
    ],
  )('%s', (_what, own, before, row, verdict) => expect(judgeRow(own, before, row, 3)).toBe(verdict));
});

test('a row stands in for a damaged record: the same checksum, or no older than it says; never what is older', () => {
  expect(mayStandIn(at(5, 7), { version: at(5).version, checksum: 99 })).toBe(true);
  expect(mayStandIn(at(6, 8), { version: at(5).version, checksum: 7 })).toBe(true);
  expect(mayStandIn(at(5, 7), { version: Infinity, checksum: 7 })).toBe(true);
  expect(mayStandIn(at(4, 8), { version: at(5).version, checksum: 7 })).toBe(false);
  expect(mayStandIn(at(4, 8), { version: Infinity, checksum: 7 })).toBe(false);
});

describe('the budget', () => {
  test('records and bytes both count; what was read too much is waited for', () => {
    const pace = new ScrubPace({ recordsPerSecondMax: 1_000, bytesPerSecondMax: 10_000 }, 0);
    expect(pace.mayGo(0, false)).toBe(true);
    pace.spend(700, 100);
    expect(pace.mayGo(400, false)).toBe(false);
    expect(pace.mayGo(501, false)).toBe(true);
    pace.spend(1, 12_000);
    expect(pace.mayGo(1_000, false)).toBe(false);
    expect(pace.mayGo(1_800, false)).toBe(true);
  });

  test('a busy node waits, and yet goes on after a while', () => {
    const pace = new ScrubPace({ recordsPerSecondMax: 0, bytesPerSecondMax: 0 }, 0);
    expect(pace.mayGo(10, false)).toBe(true);
    expect(pace.mayGo(SCRUB_YIELD_MS_MAX, true)).toBe(false);
    expect(pace.mayGo(10 + SCRUB_YIELD_MS_MAX, true)).toBe(true);
    expect(pace.mayGo(20 + SCRUB_YIELD_MS_MAX, true)).toBe(false);
    expect(pace.mayGo(20 + SCRUB_YIELD_MS_MAX, false)).toBe(true);
  });
});
