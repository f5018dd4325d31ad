/**
 * The long tests: real processes, one file at a time, minutes each; and what only computes, which
 * `npm run test:long` runs beside them. (docs/TESTING.md)
 */
import { defineConfig } from 'vitest/config';

const COMPUTING = ['test/long/fuzz.test.ts'];

export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers: 1,
    fileParallelism: false,
    testTimeout: 15 * 60_000,
    hookTimeout: 5 * 60_000,
    teardownTimeout: 60_000,
    projects: [
      { extends: true, test: { name: 'processes', include: ['test/long/**/*.test.ts'], exclude: COMPUTING } },
      { extends: true, test: { name: 'computing', include: COMPUTING } },
    ],
  },
});
