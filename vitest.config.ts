/**
 * The quick tests: beside the sources, in the simulation and in test/. Two groups, one after the other: those that
 * know sockets, disks and processes, each file in a process of its own, the longest first; then the pure ones, which
 * share two processes, because all that they would start anew is the same code again. (docs/TESTING.md)
 */
import { defineConfig } from 'vitest/config';
import { BaseSequencer } from 'vitest/node';
import type { TestSpecification } from 'vitest/node';

/** Time is an argument there, files are read at most, and nothing outlives a test. */
const PURE = [
  'src/{base,core,node,wire}/**/*.test.ts',
  'page/**/*.test.ts',
  'sim/**/*.test.ts',
  'test/fuzz/**/*.test.ts',
  'test/{documents,hazards,limits,observability,rules,statements,tidy,tracing-document}.test.ts',
  'test/deploy/{compose,go-template,image,kubernetes,release}.test.ts',
  'src/servers/http/metrics/*.test.ts',
  'src/servers/resp/{redis-document,reply-writer,request-decoder}.test.ts',
  'src/servers/grpc/seed-contract.test.ts',
  'src/cli/top.test.ts',
  'test/verify/{verdict,chaos-judge,chaos-report,chaos-scenario}.test.ts',
  'src/cli/*-text.test.ts',
  'src/client/{pace,patience}.test.ts',
];
const NEVER = ['test/long/**', 'test/browser/**', 'node_modules/**', 'dist/**'];
/** They last longest: begun last, they would be waited for alone. */
const FIRST = ['test/integration/chaos.test.ts', 'test/integration/cluster.test.ts'];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number => {
      const at = FIRST.findIndex((path) => moduleId.endsWith(path));
      return at < 0 ? FIRST.length : at;
    };
    return (await super.sort(files)).sort((a, b) => place(a) - place(b));
  }
}

export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    teardownTimeout: 20_000,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        extends: true,
        test: {
          name: 'machine',
          include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
          exclude: [...NEVER, ...PURE],
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'pure',
          include: PURE,
          exclude: NEVER,
          isolate: false,
          // As the simulation's own workers. (sim/workers.ts)
          execArgv: ['--max-semi-space-size=64', '--interrupt-budget=500000'],
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
