/** A move whose keys are written by others meanwhile: what it says is true of what happened. */
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

/** Others write these keys just before the source is first deleted. */
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
