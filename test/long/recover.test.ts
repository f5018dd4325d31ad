/** A member is lost with its disk and was the only one to hold its slots: what an operator sees, does, and has afterwards. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCommand } from '../../src/cli/main.ts';
import { startCluster } from '../support/cluster.ts';
import type { TestCluster } from '../support/cluster.ts';
import { buildProgram, until } from '../support/supervisor-program.ts';

let program: Awaited<ReturnType<typeof buildProgram>>;
beforeAll(async () => {
  program = await buildProgram('src/cli/main.ts');
});
afterAll(() => program.remove());

async function recover(
  cluster: TestCluster,
  names: string[],
  ...words: string[]
): Promise<{ out: string; err: string; code: number }> {
  const told = { out: '', err: '', code: -1 };
  const nodes = names.map((name) => cluster.node(name).address).join(',');
  await runCommand(['cluster', 'recover', ...words, '--nodes', nodes], {
    stdin: (async function* () {})(),
    stdout: { write: (text) => (told.out += String(text)) },
    stderr: { write: (text) => (told.err += String(text)) },
    exit: (code) => (told.code = code),
  });
  return told;
}

const textOf = (bytes: Uint8Array | undefined): string | undefined =>
  bytes === undefined ? undefined : Buffer.from(bytes).toString();

test('one replica, one disk lost: its slots are served by nobody, shown, given up, and whole again from PostgreSQL', async () => {
  const cluster = await startCluster({ entry: program.entry, legacy: false, replicas: 1 });
  try {
    const keys = Array.from({ length: 300 }, (_, at) => `key:${at}`);
    const written = await cluster.client().setMany(keys.map((key) => ({ key, value: `of ${key}` })));
    expect(written.every(({ ok }) => ok)).toBe(true);
    const owned = await Promise.all(keys.map((key) => cluster.inspect('node-2', key)));
    const lost = keys.filter((_, at) => owned[at]!.owner);
    expect(lost.length).toBeGreaterThan(20);
    await cluster.client().delete(lost[1]!);

    await cluster.kill('node-2');
    cluster.wipe('node-2');
    const living = ['node-1', 'node-3'];
    await until('the loss is noticed', async () => {
      const statuses = await Promise.all(living.map((name) => cluster.status(name)));
      return statuses.every((status) => status.leaseHeld && status.slotsLost > 0);
    });
    const client = cluster.client(...living);
    await expect(client.get(lost[0]!)).rejects.toMatchObject({ code: 'not_ready', certainty: 'definite' });
    const shown = await recover(cluster, living);
    expect(shown).toMatchObject({ code: 1 });
    expect(shown.out).toMatch(/node-2 +5,4\d\d +its slots are not lost if it comes back with its disk/);
    // Deletions are rows, too.
    expect(shown.out).toContain(`PostgreSQL has ${lost.length} rows of them.`);
    await expect(client.get(lost[0]!)).rejects.toMatchObject({ code: 'not_ready' });

    const done = await recover(cluster, living, '--yes-lose-data');
    expect(done).toMatchObject({ code: 0 });
    for (const key of keys) {
      expect(textOf(await client.get(key))).toBe(key === lost[1] ? undefined : `of ${key}`);
    }
    await client.set(lost[0]!, 'written anew');
    cluster.start('node-2');
    await cluster.untilReady();
    expect(textOf(await cluster.client('node-2').get(lost[0]!))).toBe('written anew');
    expect(await recover(cluster, living)).toMatchObject({ code: 0, out: 'no slot is lost\n' });
  } finally {
    await cluster.close();
  }
}, 120_000);
