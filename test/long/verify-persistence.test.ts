/** `npm run verify:persistence` succeeds on a cluster of real processes; and it fails if a disk comes back wrong. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ownWorld } from '../../verify/own-world.ts';
import { runPersistence } from '../../verify/persistence-run.ts';
import { sqlRows, type World } from '../../verify/world.ts';
import { buildProgram } from '../support/supervisor-program.ts';

let program: Awaited<ReturnType<typeof buildProgram>>;
beforeAll(async () => {
  program = await buildProgram('src/cli/main.ts');
});
afterAll(() => program.remove());

/** Six starts of real processes on a busy machine. */
const TIMEOUT_MS = 120_000;
const plan = { seconds: 3, succeededMin: 300, tell: () => undefined };

async function onWorld(run: (world: World) => Promise<void>): Promise<void> {
  const world = await ownWorld({ entry: program.entry, legacy: false });
  try {
    await run(world);
  } finally {
    await world.close();
  }
}

test(
  'all nodes killed at once under load, with their disks and without: everything acknowledged is there',
  () =>
    onWorld(async (world) => {
      const { verdict, faults } = await runPersistence(world, plan);
      expect(faults).toEqual([]);
      expect(verdict).toBe('passed');
    }),
  TIMEOUT_MS,
);

test(
  'rows that vanish from PostgreSQL before the disks do: the lost writes are told',
  () =>
    onWorld(async (world) => {
      const killAndWipe = async (names: readonly string[]): Promise<void> => {
        await sqlRows(
          world,
          `set causeway.unwatched = 'on'; delete from causeway.record where key like '%:sql:1%'`,
          [],
        );
        await world.killAndWipe(names);
      };
      const { verdict, faults } = await runPersistence({ ...world, killAndWipe }, plan);
      expect(verdict).toBe('failed');
      expect(faults.join()).toContain('was acknowledged');
    }),
  TIMEOUT_MS,
);
