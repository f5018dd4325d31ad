/**
 * `npm run verify:legacy` succeeds on a cluster of real processes, also where requests are forwarded; and it can fail.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runLegacy } from '../../verify/legacy-run.ts';
import { ownWorld } from '../../verify/own-world.ts';
import type { World } from '../../verify/world.ts';
import { buildProgram } from '../support/supervisor-program.ts';

let program: Awaited<ReturnType<typeof buildProgram>>;
let world: World;
beforeAll(async () => {
  program = await buildProgram('src/cli/main.ts');
  world = await ownWorld({ entry: program.entry, nodes: 4 });
});
afterAll(async () => {
  await world.close();
  program.remove();
});

const options = { seconds: 0, tell: () => undefined };

test('four nodes and a legacy API: fetched once, served without it, deleted for good', async () => {
  const { verdict, faults } = await runLegacy(world, options);
  expect(faults).toEqual([]);
  expect(verdict).toBe('passed');
});

test('an API that counts one call too many: the verification fails', async () => {
  const legacy = world.legacy!;
  const callsOf = async (key: string): Promise<number> => (await legacy.callsOf(key)) + 1;
  const { verdict, faults } = await runLegacy({ ...world, legacy: { ...legacy, callsOf } }, options);
  expect(verdict).toBe('failed');
  expect(faults.join()).toContain('2 instead of 1');
});
