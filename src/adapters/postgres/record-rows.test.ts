/** What is read back from a row, including one that was changed by hand. */
import { expect, test } from 'vitest';
import { recordOf } from '../../core/record.ts';
import { openRecord, sealRecord } from '../../wire/record-codec.ts';
import { rowFromFields } from './record-rows.ts';

const VALUE = Buffer.from('v');
const TYPED = sealRecord(
  recordOf(
    {
      ...{ key: 'k', origin: 0, tombstone: false, value: VALUE, createdAt: 1, updatedAt: 2, expiresAt: 0 },
      ...{ operationId: null, contentType: 'text/plain' },
    },
    4096,
  ),
);
const fields = (contentType: string | null): unknown[] => [
  ...['k', 7, VALUE, 4096, 0, 1, 2, null, false, TYPED.checksum, null],
  contentType,
];

test('a row that nobody has changed: the record that was written', () => {
  const { record, checksum } = rowFromFields(fields('text/plain'));
  expect(record).toEqual(TYPED.record);
  expect(sealRecord(record).checksum).toBe(checksum);
});

test.each(['text/plain\r\nSet-Cookie: a=b', 'tëxt/plain', 'nothing', `a/${'b'.repeat(300)}`, ''])(
  'a row to which a hand has given the content type %j: a record without one, which can be kept, and fails the checksum',
  (contentType) => {
    const { record, checksum } = rowFromFields(fields(contentType));
    expect(record.contentType).toBeNull();
    const sealed = sealRecord(record);
    expect(openRecord(sealed.bytes)?.record.value).toEqual(VALUE);
    expect(sealed.checksum).not.toBe(checksum);
  },
);
