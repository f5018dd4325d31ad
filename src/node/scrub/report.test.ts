/** What a round of the scrubber waits for: repairs that somebody is working on, and no others. */
import { expect, test } from 'vitest';
import { ScrubReport } from './report.ts';
import type { ScrubReportParts } from './report.ts';

function reporting() {
  const world = { now: 1_000, version: 0, told: [] as string[] };
  const report = new ScrubReport({
    clock: { now: () => world.now, wallNow: () => world.now },
    telemetry: { event: (_level: string, name: string) => world.told.push(name) },
    shelf: { read: () => (world.version === 0 ? undefined : { record: { version: world.version } }) },
    replica: () => ({ view: { row: () => ({ owns: true }) }, stateOf: () => undefined }),
  } as unknown as ScrubReportParts);
  report.begun(1);
  report.found('lost', 7, 'key', 20);
  return { world, report };
}

test('its fetch was abandoned with the epoch: the round does not wait for it, and it is found again without being counted twice', () => {
  const { report } = reporting();
  expect(report.open).toBe(1);
  report.letGo('key');
  expect([report.open, report.status(0).open]).toEqual([0, 0]);
  report.found('lost', 7, 'key', 20);
  expect([report.open, report.status(0).totals.found]).toEqual([1, 1]);
});

test('abandoned, and yet intact a moment later: it counts as repaired, and nothing is left open', () => {
  const { world, report } = reporting();
  report.letGo('key');
  world.version = 20;
  report.tick();
  report.letGo('key');
  expect([report.open, report.status(0).totals.repaired]).toEqual([0, 1]);
});

test('abandoned, and not intact in time: reported as not repaired, and the next finding is a new one', () => {
  const { world, report } = reporting();
  report.letGo('key');
  world.now += 60_000;
  report.tick();
  expect(report.status(0).totals.unrepaired).toBe(1);
  report.found('lost', 7, 'key', 20);
  expect([report.open, report.status(0).totals.found]).toEqual([1, 2]);
  expect(world.told).toEqual(['scrub.found', 'scrub.unrepaired', 'scrub.found']);
});
