/** Three nodes become five and then three again under load, with enough data that copying takes a while. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startCluster } from '../support/cluster.ts';
import { threeFiveThree } from '../support/elastic-story.ts';
import { buildProgram } from '../support/supervisor-program.ts';

const KEY_COUNT = 60_000;
const VALUE = Buffer.alloc(1024, 'x');

let program: Awaited<ReturnType<typeof buildProgram>>;
beforeAll(async () => {
  program = await buildProgram('src/cli/main.ts');
});
afterAll(() => program.remove());

test('3, 5 and 3 nodes with 60 MB under load: no operation fails, every key is where it belongs', async () => {
  const cluster = await startCluster({ entry: program.entry, legacy: false });
  try {
    const client = cluster.client();
    for (let first = 0; first < KEY_COUNT; first += 1_000) {
      const entries = Array.from({ length: 1_000 }, (_, index) => ({
        key: `bulk:${first + index}`,
        value: VALUE,
      }));
      const outcomes = await client.setMany(entries, { timeoutMs: 60_000 });
      expect(outcomes.filter((outcome) => !outcome.ok)).toEqual([]);
    }
    await threeFiveThree(cluster, { changeMsMax: 240_000, writesDuring: 500 });
    for (const name of ['node-1', 'node-3', 'node-4']) {
      const reader = cluster.client(name);
      for (let first = 0; first < KEY_COUNT; first += 500) {
        const keys = Array.from({ length: 500 }, (_, index) => `bulk:${first + index}`);
        const values = await reader.getMany(keys, { timeoutMs: 60_000 });
        const missing = keys.filter((_key, at) => {
          const outcome = values[at]!;
          return !outcome.ok || outcome.result?.length !== VALUE.length;
        });
        expect(missing).toEqual([]);
      }
    }
  } finally {
    await cluster.close();
  }
});
