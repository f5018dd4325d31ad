/**
 * The two phases of a run are real: a run that is otherwise fine fails if something does not come to rest in time after
 * the last fault, if something is left in a queue at rest, or if something grows beyond its load.
 */
import { expect, test } from 'vitest';
import type { SimCluster } from './cluster.ts';
import { runSeed } from './run.ts';
import type { RunResult } from './run.ts';
import type { Scheduler } from './scheduler.ts';

type Story = (cluster: SimCluster, scheduler: Scheduler) => void;

/** A seed without faults, in which something else happens. */
function tell(story: Story): RunResult {
  return runSeed(3, { faults: [], loadMs: 1_000, story });
}

function every(scheduler: Scheduler, ms: number, run: () => void): void {
  scheduler.after(ms, () => {
    run();
    every(scheduler, ms, run);
  });
}

test('nothing happens: the run is well', () => {
  expect(tell(() => undefined).violation).toBeNull();
});

test('one member is cut off again and again after the last fault: no rest within the bound', () => {
  const result = tell((cluster, scheduler) =>
    every(scheduler, 100, () => cluster.network.isolate(cluster.nodes[0]!.name, 'reset')),
  );
  expect(result.violationKind).toBe('progress');
  expect(result.violation).toContain('after the last fault');
});

test('one entry is never taken out of a queue: it is found at rest, and told with its place', () => {
  const result = tell((cluster, scheduler) =>
    scheduler.after(500, () =>
      cluster.nodes[1]!.node!['assembly'].background.repair['pending'].set('leaked', {} as never),
    ),
  );
  expect(result.violationKind).toBe('progress');
  expect(result.violation).toMatch(/1 left in repairs of node-2/);
});

test('a queue grows with each moment of the load: caught before the load ends', () => {
  let leaked = 0;
  const result = tell((cluster, scheduler) =>
    every(scheduler, 1, () =>
      cluster.nodes[1]!.node?.['assembly'].forwarder['pending'].set(-(leaked += 1), {} as never),
    ),
  );
  expect(result.violationKind).toBe('queues');
  expect(result.violation).toMatch(/forwarded of node-2 holds \d+, more than \d+ that the load can cause/);
  expect(result.loadMs).toBeLessThan(1_000);
});
