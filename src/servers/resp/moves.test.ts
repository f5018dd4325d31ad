/** Moves of keys that others write in the meantime: the reply must be true. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openRespDoor } from '../../../test/support/resp-door.ts';
import type { RespFixture, RespLine } from '../../../test/support/resp-door.ts';

let door: RespFixture;
let line: RespLine;
beforeEach(async () => {
  door = await openRespDoor();
  line = await door.connect();
});
afterEach(() => door.stop());

/** Lets others write these keys just before the source is first deleted. */
function writtenBefore(...keys: readonly string[]): void {
  const { api } = door;
  const write = api.write.bind(api);
  api.write = (operation, timeoutMs, done) => {
    if (operation.kind !== 'compareAndDelete') return write(operation, timeoutMs, done);
    api.write = write;
    for (const key of keys)
      write(
        { kind: 'put', key, operationId: null, value: Buffer.from('theirs'), ttlMs: 0 },
        timeoutMs,
        () => undefined,
      );
    write(operation, timeoutMs, done);
  };
}

test('RENAME and COPY: the content type of the source goes along; SET leaves none', async () => {
  const value = Buffer.from('{}');
  const put = { kind: 'put', key: 'a', operationId: null, value, ttlMs: 0 } as const;
  door.api.write({ ...put, contentType: 'application/json' }, 1_000, () => undefined);
  expect(await line.ask('COPY a b')).toBe(':1');
  expect(await line.ask('RENAME a c')).toBe('+OK');
  const typeOf = (key: string): string | null => door.api.records.get(key)!.contentType;
  expect([typeOf('b'), typeOf('c')]).toEqual(['application/json', 'application/json']);
  expect(await line.ask('APPEND b ]')).toBe(':3');
  expect(await line.ask('SET c 1 KEEPTTL')).toBe('+OK');
  expect([typeOf('b'), typeOf('c')]).toEqual(['application/json', null]);
});

test('RENAMENX: source and copy are written by others: it does not say that nothing happened', async () => {
  expect(await line.ask('SET a 1')).toBe('+OK');
  writtenBefore('a', 'b');
  expect(await line.ask('RENAMENX a b')).toMatch(/^-INDEFINITE contended: /);
  expect(await line.ask('GET b')).toBe('theirs');
  expect(await line.ask('RENAMENX a b')).toBe(':0');
});

test('RENAMENX: only the source is written by another: its newest value is moved', async () => {
  expect(await line.ask('SET a 1')).toBe('+OK');
  writtenBefore('a');
  expect(await line.ask('RENAMENX a b')).toBe(':1');
  expect(await line.ask('GET b')).toBe('theirs');
  expect(await line.ask('EXISTS a')).toBe(':0');
});
