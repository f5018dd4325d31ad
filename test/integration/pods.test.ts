/**
 * The start of pods as in the manifests (deploy/kubernetes), with real processes: names that do not resolve yet, and
 * addresses that change. How nodes come and go with the number of replicas is in test/long/pods.test.ts.
 */
import { expect, test } from 'vitest';
import { objectsOf } from '../deploy/chart.ts';
import { statefulSetOf } from '../deploy/pod-template.ts';
import { Pods } from '../support/pods.ts';
import { buildProgram } from '../support/supervisor-program.ts';

test('founders that start before any name is known found one cluster; one that comes back with another address is the member that it was', async () => {
  const program = await buildProgram('src/cli/main.ts');
  const pods = await Pods.prepare(statefulSetOf(objectsOf()), program.entry);
  try {
    pods.startAll([2]);
    await pods.scale(3);
    await pods.untilReady(0, 1, 2);
    await pods.client().set('greeting', 'hello');
    const { id } = (await pods.status(1))!;
    expect(await pods.replace(1)).not.toContain('leaves');
    await pods.untilShared(0, 1, 2);
    expect((await pods.status(1))!.id).toBe(id);
    expect(Buffer.from((await pods.client().get('greeting'))!).toString()).toBe('hello');
  } finally {
    await pods.close();
    program.remove();
  }
}, 150_000);
