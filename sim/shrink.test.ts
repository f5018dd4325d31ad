/** Shrinking a failing run: what is not needed is left out, and what remains still fails in the same way. */
import { expect, test } from 'vitest';
import { PROFILES } from './profiles.ts';
import { runSeed } from './run.ts';
import type { RunCut, RunResult } from './run.ts';
import { shrink } from './shrink.ts';

/** A run that fails by the given rule. */
function pretend(fails: (cut: RunCut) => boolean): (cut: RunCut) => RunResult {
  return (cut) => ({
    seed: 1,
    violation: fails(cut) ? 'broken' : null,
    violationKind: fails(cut) ? 'history' : null,
    operations: 0,
    succeeded: 0,
    clientCount: 5,
    struck: cut.faults ?? Array.from({ length: 40 }, (_, index) => index),
    loadMs: cut.loadMs ?? 30_000,
    virtualMs: 0,
    eventCount: 0,
    traceHash: 0,
    occurred: new Map(),
  });
}

test('two faults, one client and the first second are needed: nothing else is left', () => {
  const run = pretend(
    ({ faults, clients, loadMs }) =>
      (faults ?? [7, 23]).filter((fault) => fault === 7 || fault === 23).length === 2 &&
      (clients ?? [3]).includes(3) &&
      (loadMs ?? 30_000) >= 1_000,
  );
  const { cut, runCount } = shrink(run({}), run, () => true);
  expect(cut.faults).toEqual([7, 23]);
  expect(cut.clients).toEqual([3]);
  expect(cut.loadMs).toBeGreaterThanOrEqual(1_000);
  expect(cut.loadMs).toBeLessThan(1_030);
  expect(runCount).toBeLessThan(100);
});

test('nothing can be left out, or there is no time for it: the run stays as it was', () => {
  const whole = pretend(
    ({ faults, clients }) => (faults?.length ?? 40) === 40 && (clients?.length ?? 5) === 5,
  );
  const { cut } = shrink(whole({}), whole, () => true);
  expect(cut.faults.length).toBe(40);
  expect(cut.clients.length).toBe(5);
  const any = pretend(() => true);
  expect(shrink(any({}), any, () => false).cut.loadMs).toBe(30_000);
});

test('a broken rule is found by a seed: the shrunk run fails alike, with less', () => {
  const options = { profile: PROFILES['hotKey']!, mutations: { validateBeforeRecord: true } };
  let seed = 1;
  let failed = runSeed(seed, options);
  while (failed.violation === null && seed < 10) failed = runSeed((seed += 1), options);
  expect(failed.violation).not.toBeNull();
  const run = (cut: RunCut): RunResult => runSeed(seed, { ...options, ...cut });
  const { cut, result } = shrink(failed, run, (runCount) => runCount < 25);
  expect(result.violationKind).toBe(failed.violationKind);
  // Only for what is left out at the end: a run that fails at once may, with less in it, last longer before it fails.
  expect(cut.loadMs).toBeLessThanOrEqual(Math.ceil(failed.loadMs));
  expect(cut.faults.length + cut.clients.length).toBeLessThan(failed.struck.length + failed.clientCount);
  expect(run(cut).violation).toBe(result.violation);
});
