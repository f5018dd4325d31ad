/** docs/CLIENT.md: its examples run as they stand there, one after the other, in one program. */
import { readFileSync } from 'node:fs';
import { runInThisContext } from 'node:vm';
import { transform } from 'esbuild';
import { expect, test, vi } from 'vitest';
import { openDoors } from '../../test/support/grpc-call.ts';
import * as library from './index.ts';

const page = readFileSync(new URL('../../docs/CLIENT.md', import.meta.url), 'utf8');
type Run = (of: typeof library, address: string) => Promise<number>;
const written = [...page.matchAll(/^```ts\n([\s\S]*?)^```/gm)].map(([, block]) => block!).join('\n');

test('every example does what it says', async () => {
  const doors = await openDoors();
  const said = vi.spyOn(console, 'log').mockReturnValue();
  const asFunction = written
    .replace(/^import \{ (.*) \} from 'causeway';$/gm, 'const { $1 } = library;')
    .replace(/nodes: \[.*\]/, 'nodes: [address]');
  const { code } = await transform(asFunction, { loader: 'ts', format: 'esm' });
  const run = runInThisContext(`(async (library, address) => { ${code}\n return rows; })`) as Run;
  try {
    expect(await run(library, doors.address)).toBe(5_000);
    const { records } = doors.api;
    expect(Buffer.from(records.get('user:1')!.value).toString()).toBe('{"name":"Grace"}');
    expect(said.mock.calls).toEqual([[Buffer.from('hello')], [undefined]]);
    expect([...records.keys()]).toEqual(expect.arrayContaining(['greeting', 'session', 'visits', 'a', 'b']));
  } finally {
    said.mockRestore();
    await doors.stop();
  }
});

test('every method of the client for keys is on the page', () => {
  const methods = Object.getOwnPropertyNames(library.CausewayClient.prototype).filter(
    (name) => !['constructor', 'nodes', 'incrementWithMeta', 'findMany'].includes(name),
  );
  expect(methods.length).toBeGreaterThan(12);
  expect(methods.filter((name) => !page.includes(name))).toEqual([]);
});
