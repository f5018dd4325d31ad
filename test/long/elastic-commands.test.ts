/** Members that join, leave and are replaced, as an operator does it: real processes, the command line, load. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCommand } from '../../src/cli/main.ts';
import { keptIo } from '../support/command-io.ts';
import type { Ran } from '../support/command-io.ts';
import { startCluster } from '../support/cluster.ts';
import type { TestCluster } from '../support/cluster.ts';
import { threeFiveThree, untilShared } from '../support/elastic-story.ts';
import { buildProgram } from '../support/supervisor-program.ts';

const STORY = { changeMsMax: 30_000, writesDuring: 100 };

let program: Awaited<ReturnType<typeof buildProgram>>;
beforeAll(async () => {
  program = await buildProgram('src/cli/main.ts');
});
afterAll(() => program.remove());

async function ran(cluster: TestCluster, ...words: string[]): Promise<Ran> {
  const { io, ran: told } = keptIo();
  const nodes = cluster.nodes.map(({ address }) => address).join(',');
  await runCommand([...words, '--nodes', nodes], io);
  return told;
}

test('3, 5 and 3 nodes under load: no operation fails, nothing is lost or read old', async () => {
  const cluster = await startCluster({ entry: program.entry, legacy: false });
  try {
    await threeFiveThree(cluster, STORY);
  } finally {
    await cluster.close();
  }
}, 120_000);

test('a plan is shown, a lost member replaced, a member leaves by a command that waits for it', async () => {
  const cluster = await startCluster({ entry: program.entry, legacy: false });
  try {
    const plan = await ran(cluster, 'cluster', 'plan', '--join', 'node-4');
    expect(plan).toMatchObject({ code: 0 });
    expect(plan.out).toMatch(/node-4 +0 +12,288 +12,288\n12,288 copies of slots/);
    const impossible = await ran(cluster, 'cluster', 'plan', '--leave', 'node-1', '--leave', 'node-9');
    expect(impossible).toMatchObject({ code: 1 });
    expect(impossible.out).toContain('not possible: node-9 is no member');

    await cluster.add('node-4', 'node-3');
    await untilShared(cluster, ['node-1', 'node-2', 'node-3', 'node-4'], STORY);
    await cluster.kill('node-2');
    await cluster.add('node-5', 'node-1', 'node-2');
    await untilShared(cluster, ['node-1', 'node-3', 'node-4', 'node-5'], STORY);
    // With the same settings it comes back as what it is now, although it joined through another member.
    await cluster.stop('node-4');
    cluster.start('node-4');
    await untilShared(cluster, ['node-1', 'node-3', 'node-4', 'node-5'], STORY);

    const left = await ran(cluster, 'node', 'leave', 'node-3');
    expect(left).toMatchObject({ code: 0 });
    expect(left.err).toContain('node-3 has left');
    expect(await cluster.ended('node-3')).toBe(0);
    expect(await ran(cluster, 'node', 'leave', 'node-3')).toMatchObject({ code: 3 });
    expect(await ran(cluster, 'cluster', 'rebalance')).toMatchObject({ code: 0 });
  } finally {
    await cluster.close();
  }
}, 120_000);
