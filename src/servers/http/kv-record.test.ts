/** How times of records are shown that no node has ever written. */
import { expect, test } from 'vitest';
import { HttpDoor } from '../../../test/support/http-door.ts';

test('times beyond any calendar, as only a hand in PostgreSQL writes them: shown as the nearest that there is', async () => {
  const door = new HttpDoor();
  await door.ask('PUT', '/v1/kv/a', { body: 'a' });
  const times = { createdAt: -1e14, updatedAt: Number.MAX_SAFE_INTEGER, expiresAt: Number.MAX_SAFE_INTEGER };
  door.api.records.set('a', { ...door.api.records.get('a')!, ...times });
  const { status, headers } = await door.ask('GET', '/v1/kv/a');
  expect([status, headers.get('last-modified')]).toEqual([200, 'Fri, 31 Dec 9999 23:59:59 GMT']);
  const shown = { createdAt: '0000-01-01T00:00:00.000Z', updatedAt: '9999-12-31T23:59:59.999Z' };
  expect((await door.ask('GET', '/v1/kv')).json['entries']).toMatchObject([shown]);
});
