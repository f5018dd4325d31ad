/**
 * A member is lost with its disk, and was the only one to hold its slots: what an operator sees, does, and has
 * afterwards.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCommand } from '../../src/cli/main.ts';
import { keptIo } from '../support/command-io.ts';
import type { Ran } from '../support/command-io.ts';
import { startCluster } from '../support/cluster.ts';
import type { TestCluster } from '../support/cluster.ts';
import { buildProgram, until } from '../support/supervisor-program.ts';

let program: Awaited<ReturnType<typeof buildProgram>>;
beforeAll(async () => {
  program = await buildProgram('src/cli/main.ts');
});
afterAll(() => program.remove());

async function recover(cluster: TestCluster, names: string[], ...words: string[]): Promise<Ran> {
  const { io, ran } = keptIo();
  const nodes = names.map((name) => cluster.node(name).address).join(',');
  await runCommand(['cluster', 'recover', ...words, '--nodes', nodes], io);
  return ran;
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

test('two of three are lost with their disks: the third goes on alone by an operator’s word, then with new ones', async () => {
  const cluster = await startCluster({ entry: program.entry, legacy: false });
  try {
    const keys = Array.from({ length: 300 }, (_, at) => `key:${at}`);
    await cluster.client().setMany(keys.map((key) => ({ key, value: `of ${key}` })));
    // While node-1 is away, the others accept writes that it does not know of.
    await cluster.kill('node-1');
    const others = cluster.client('node-2', 'node-3');
    await until('they write without it', async () => {
      return await others.set(keys[0]!, 'since').then(
        () => true,
        () => false,
      );
    });
    await others.delete(keys[1]!);
    for (const name of ['node-2', 'node-3']) {
      await cluster.kill(name);
      cluster.wipe(name);
    }
    cluster.start('node-1');
    const alone = ['node-1'];
    let shown = await recover(cluster, alone);
    await until('it shows who is up', async () => {
      shown = await recover(cluster, alone);
      return shown.out.includes('1 of 3 voters are up');
    });
    expect(shown).toMatchObject({ code: 1 });
    expect(shown.out).toMatch(/node-3 +gone +yes/);
    await expect(cluster.client('node-1').get(keys[2]!)).rejects.toMatchObject({ certainty: 'definite' });

    const done = await recover(cluster, alone, '--yes-lose-data');
    expect(done).toMatchObject({ code: 0 });
    const client = cluster.client('node-1');
    expect(textOf(await client.get(keys[0]!))).toBe('since');
    expect(textOf(await client.get(keys[1]!))).toBeUndefined();
    expect(textOf(await client.get(keys[2]!))).toBe(`of ${keys[2]!}`);

    for (const name of ['node-2', 'node-3']) cluster.start(name);
    await cluster.untilReady();
    await until('there is a second owner', () =>
      client.set(keys[2]!, 'by three').then(
        () => true,
        () => false,
      ),
    );
    expect(textOf(await cluster.client('node-3').get(keys[2]!))).toBe('by three');
    expect(await cluster.status('node-2')).toMatchObject({ life: 2 });
  } finally {
    await cluster.close();
  }
}, 120_000);
