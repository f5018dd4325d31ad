/**
 * The long tests. First those that mostly wait, two files at once; then the runs of the fault rig, alone, because their
 * clients use the whole machine; and purely computational tests, which `npm run test:long` runs beside the others.
 * (docs/TESTING.md)
 */
import { defineConfig } from 'vitest/config';

const FAULTS = ['test/long/chaos.test.ts'];
const COMPUTING = ['test/long/fuzz.test.ts'];

export default defineConfig({
  test: {
    pool: 'forks',
    testTimeout: 15 * 60_000,
    hookTimeout: 5 * 60_000,
    teardownTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'stories',
          include: ['test/long/**/*.test.ts', 'test/browser/**/*.test.ts'],
          exclude: [...FAULTS, ...COMPUTING],
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: { name: 'faults', include: FAULTS, maxWorkers: 1, sequence: { groupOrder: 1 } },
      },
      {
        extends: true,
        test: { name: 'computing', include: COMPUTING, maxWorkers: 1, sequence: { groupOrder: 2 } },
      },
    ],
  },
});
