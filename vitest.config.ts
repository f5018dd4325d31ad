/**
 * The quick tests: beside the sources, in the simulation and in test/. Three groups, one after the other: tests that
 * start processes, each file in a process of its own, the longest first; tests that open doors (sockets, files) and
 * close them again; and pure tests. The files of the last two share two processes, because loading the same code again
 * would take longer than most of them do. (docs/TESTING.md)
 */
import { defineConfig } from 'vitest/config';
import { BaseSequencer } from 'vitest/node';
import type { TestSpecification } from 'vitest/node';

/**
 * Time is an argument or is played, at most files are read, and nothing outlives a test. (Beside tests that open doors
 * a timer of somebody else's, a socket's for instance, may be set while time is played, and be counted.)
 */
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
  'src/client/{pace,patience,pipeline,repeat}.test.ts',
  'src/adapters/postgres/{connection-pool,prepared-run,record-health,retrying}.test.ts',
];
/** What they open is in the test's own process, and closed when they end. `main.test.ts` imitates a process that ends. */
const DOORS = [
  'src/{adapters,client,servers}/**/*.test.ts',
  'src/cli/!(doctor|main).test.ts',
  'test/{bench,resp}/**/*.test.ts',
  'test/{command,legacy-source-contract}.test.ts',
  'test/contracts/disk-space.test.ts',
  'test/deploy/{linters,systemd}.test.ts',
  'test/verify/fault-proxy.test.ts',
];
/** As for the simulation's own workers. (sim/workers.ts) */
const SHARED = {
  isolate: false,
  execArgv: [
    '--max-semi-space-size=64',
    ...(process.version.startsWith('v20.') ? ['--interrupt-budget=500000'] : []),
  ],
};
const NEVER = ['test/long/**', 'test/browser/**', 'node_modules/**', 'dist/**'];
/** The longest ones: if they began last, everything else would have to wait for them alone. */
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
          exclude: [...NEVER, ...DOORS, ...PURE],
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'doors',
          include: DOORS,
          exclude: [...NEVER, ...PURE],
          ...SHARED,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'pure',
          include: PURE,
          exclude: NEVER,
          ...SHARED,
          // They compute all the time, so the garbage collector's own threads would only be in the way.
          execArgv: [...SHARED.execArgv, '--min-semi-space-size=64', '--single-threaded-gc'],
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
