/** Secrets given by a variable or a file: how they are read, and how an unusable one is refused. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFile, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadConfig } from './config.ts';
import { readSecret, readSecretFile, secretFaults } from './secrets.ts';
import type { SecretRead } from './secrets.ts';
import { SECRET_BYTES_MAX } from '../core/clients/http-limits.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'causeway-secrets-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Reads the file both ways, which must agree. */
async function ofFile(name: string): Promise<SecretRead> {
  const reference = { prefix: '', from: 'file', name } as const;
  const read = readSecret(reference, {});
  expect(await new Promise((resolve) => readSecretFile(reference, resolve))).toEqual(read);
  return read;
}

function written(text: string): string {
  const path = join(folder, 'secret');
  writeFileSync(path, text);
  return path;
}

test('a secret in a file, or a variable: as it stands, without the line break at its end', async () => {
  expect(await ofFile(written(' top secret\n'))).toEqual({ secret: ' top secret' });
  const reference = { prefix: '', from: 'env', name: 'TOKEN' } as const;
  expect(readSecret(reference, { TOKEN: 't' })).toEqual({ secret: 't' });
  expect(readSecret(reference, {})).toEqual({ fault: 'env:TOKEN is missing or empty' });
});

test('as large as it may be: read whole; by one byte larger: refused, with the limit and no part of it', async () => {
  const largest = 'x'.repeat(SECRET_BYTES_MAX);
  expect(await ofFile(written(largest))).toEqual({ secret: largest });
  const path = written(`${largest}x`);
  const fault = `file:${path} has more than ${SECRET_BYTES_MAX} bytes, the most that a secret may have`;
  expect(await ofFile(path)).toEqual({ fault });
  const reference = { prefix: '', from: 'env', name: 'TOKEN' } as const;
  expect(readSecret(reference, { TOKEN: `${largest}x` })).toEqual({
    fault: expect.stringContaining(`more than ${SECRET_BYTES_MAX} bytes`) as string,
  });
});

test('a file that is not there, is empty, or is none: told apart', async () => {
  const path = join(folder, 'none');
  expect(await ofFile(path)).toEqual({ fault: `file:${path} is missing or empty` });
  const empty = written(' \n');
  expect(await ofFile(empty)).toEqual({ fault: `file:${empty} is missing or empty` });
  expect(await ofFile(folder)).toEqual({ fault: `file:${folder} cannot be read (EISDIR)` });
});

test.skipIf(process.platform !== 'linux')(
  'a device without an end: refused, and not read for ever',
  async () => {
    expect(await ofFile('/dev/zero')).toEqual({
      fault: `file:/dev/zero has more than ${SECRET_BYTES_MAX} bytes, the most that a secret may have`,
    });
  },
);

test.skipIf(process.platform !== 'linux')(
  'a pipe that nobody writes to any more, read again: nothing is there, and no thread waits for it for ever',
  async () => {
    const path = join(folder, 'pipe');
    execFileSync('mkfifo', [path]);
    const reference = { prefix: '', from: 'file', name: path } as const;
    // As many as Node.js has threads for file operations.
    const reads = Array.from(
      { length: 4 },
      () => new Promise((resolve) => readSecretFile(reference, resolve)),
    );
    await new Promise((resolve) => readFile(folder, resolve));
    for (const read of await Promise.all(reads))
      expect(read).toEqual({ fault: `file:${path} is missing or empty` });
  },
);

test.skipIf(process.platform !== 'linux')('a file that is read again and again: not kept open', () => {
  const openFiles = (): number => readdirSync('/proc/self/fd').length;
  const reference = { prefix: '', from: 'file', name: written('secret') } as const;
  const before = openFiles();
  for (let count = 0; count < 200; count += 1)
    expect(readSecret(reference, {})).toEqual({ secret: 'secret' });
  expect(openFiles() - before).toBeLessThan(100);
});

const NODE = {
  'cluster.members': 'a=127.0.0.1:1,b=127.0.0.1:2',
  'node.name': 'a',
  'node.dataDir': '/data',
  postgres: 'none',
  'legacy.url': 'http://legacy/{key}',
};

test('headers of the legacy source that no request can have: named by the settings, before a node fails to start', () => {
  const headers = { 'X Y': 'a', Host: 'b', 'X-Line': 'top\nsecret', 'X-Good': 'c' };
  let faults: readonly string[] = [];
  try {
    loadConfig({ flags: { ...NODE, 'legacy.headers': JSON.stringify(headers) } });
  } catch (error) {
    faults = (error as { faults: string[] }).faults;
  }
  expect(faults).toEqual([
    'legacy.headers: not a header name: X Y',
    'legacy.headers: the header Host cannot be set',
    'legacy.headers: the header X-Line holds characters that headers cannot',
  ]);
});

test('a secret that no header can hold: named by its setting, and no part of it', () => {
  const flags = { ...NODE, 'legacy.headers': '{"Authorization":"Bearer env:TOKEN"}' };
  const { config } = loadConfig({ flags });
  expect(secretFaults(config, { TOKEN: 'good' })).toEqual([]);
  expect(secretFaults(config, { TOKEN: 'top\nsecret' })).toEqual([
    'legacy.headers.Authorization: the header Authorization holds characters that headers cannot',
  ]);
});
