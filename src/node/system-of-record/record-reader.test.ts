/** How the record reader handles a row that somebody has damaged. */
import { expect, test } from 'vitest';
import { makeRow } from '../../../test/contracts/record-calls.ts';
import { handClock } from '../../../test/support/hand-clock.ts';
import type { RecordRow, SystemOfRecord } from '../../ports/system-of-record.ts';
import { RecordReader } from './record-reader.ts';

test('a row fails its checksum, and who is told of it asks again at once: it is read once a second, and no oftener', () => {
  const clock = handClock();
  let readCount = 0;
  const told: string[] = [];
  const record = {
    read: (keys, done) => {
      readCount += keys.length;
      clock.defer(() => done(null, keys.map(damaged)));
    },
  } as Pick<SystemOfRecord, 'read'>;
  const reader = new RecordReader(
    record,
    clock,
    { event: () => undefined, count: () => undefined },
    (key, _sealed, problem) => {
      told.push(problem!.code);
      reader.add(key);
    },
  );
  reader.add('key');
  for (let tenths = 0; tenths < 30; tenths += 1) {
    for (let turns = 0; turns < 10; turns += 1) clock.turn();
    clock.advance(100);
  }
  expect(readCount).toBe(3);
  expect(told).toEqual(['record_unavailable', 'record_unavailable', 'record_unavailable']);
});

function damaged(key: string): RecordRow {
  const row = makeRow(key, 1);
  return { ...row, checksum: row.checksum + 1 };
}
