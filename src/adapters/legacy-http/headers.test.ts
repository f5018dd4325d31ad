/** Secrets given by reference, and the settings with which a legacy source refuses to open. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SECRET_BYTES_MAX } from '../../core/clients/http-limits.ts';
import { LegacyFixture, stopClock } from '../../../test/support/legacy-fixture.ts';

let legacy: LegacyFixture;

beforeEach(async () => {
  legacy = await LegacyFixture.start();
});
afterEach(() => legacy.end());

describe('secrets', () => {
  test('headers by reference: sent, and a changed file is read again after a refusal', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'causeway-legacy-'));
    const path = join(folder, 'token');
    writeFileSync(path, 'first-secret\n');
    process.env.CAUSEWAY_TEST_SECRET = 'env-secret';
    const pass = stopClock();
    try {
      legacy.open({
        headers: {
          Authorization: `Bearer file:${path}`,
          'X-Key': 'env:CAUSEWAY_TEST_SECRET',
          'X-Plain': 'p',
        },
      });
      await legacy.ask('k');
      expect(legacy.server.lastHeaders).toMatchObject({
        authorization: 'Bearer first-secret',
        'x-key': 'env-secret',
        'x-plain': 'p',
        'accept-encoding': 'identity',
      });
      writeFileSync(path, 'second-secret\n');
      legacy.server.behaviour = { kind: 'status', status: 401 };
      pass(1_050);
      const denied = await legacy.tell('k');
      await untilAsked('Bearer second-secret');
      expect(denied + legacy.events.join()).not.toMatch(/secret/);
    } finally {
      delete process.env.CAUSEWAY_TEST_SECRET;
      rmSync(folder, { recursive: true });
    }
  });

  test('a file that has become too large, or cannot be read any more: what it held is sent on', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'causeway-legacy-'));
    const path = join(folder, 'token');
    writeFileSync(path, 'first-secret\n');
    const pass = stopClock();
    try {
      legacy.open({ headers: { Authorization: `file:${path}` } });
      writeFileSync(path, 'x'.repeat(SECRET_BYTES_MAX + 1));
      legacy.server.behaviour = { kind: 'status', status: 401 };
      pass(1_050);
      for (let n = 0; n < 10; n += 1) {
        await legacy.tell('k');
        expect(legacy.server.lastHeaders.authorization).toBe('first-secret');
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  async function untilAsked(authorization: string): Promise<void> {
    for (let n = 0; n < 100 && legacy.server.lastHeaders.authorization !== authorization; n++)
      await legacy.ask('k');
    expect(legacy.server.lastHeaders.authorization).toBe(authorization);
  }

  test.each([
    ['a missing variable', { A: 'env:CAUSEWAY_TEST_MISSING' }],
    ['a missing file', { A: 'file:/nonexistent/secret' }],
    ['a line break', { A: 'x\r\nHost: evil' }],
    ['no header name', { 'A: b': 'x' }],
    ['a header of the client', { Host: 'evil' }],
    ['an encoding', { 'Accept-Encoding': 'gzip' }],
  ])('%s: the source does not open', (_name, headers) => {
    expect(() => legacy.open({ headers })).toThrow();
  });

  test('settings that cannot work: the source does not open', () => {
    for (const settings of [{ url: 'http://h/' }, { valuePointer: 'x' }, { echoPointer: 'x' }]) {
      expect(() => legacy.open(settings)).toThrow();
    }
  });
});
