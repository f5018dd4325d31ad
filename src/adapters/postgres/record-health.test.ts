/** How a server's answers change the opinion of its health; the test controls the time. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { RecordFailure, failureOfStatement } from './record-failure.ts';
import { RecordHealthMonitor, downForOf } from './record-health.ts';

let now: number;
let probes: number;
let fault: string | RecordFailure | null;
let writes: number;
let writeFault: string | null;
let told: string[];
let monitor: RecordHealthMonitor;

beforeEach(() => {
  vi.useFakeTimers();
  now = 0;
  probes = 0;
  fault = null;
  writes = 0;
  writeFault = null;
  told = [];
  monitor = new RecordHealthMonitor({
    ...{ now: () => now, random: () => 0 },
    probe: () => {
      probes += 1;
      if (fault === null) return Promise.resolve();
      return Promise.reject(typeof fault === 'string' ? new Error(fault) : fault);
    },
    tryWriting: () => {
      writes += 1;
      return writeFault === null ? Promise.resolve() : Promise.reject(new Error(writeFault));
    },
    onChange: ({ state }) => told.push(state),
  });
  monitor.markUp(true);
});
afterEach(() => {
  monitor.close();
  vi.useRealTimers();
});

test('down: a probe that is answered brings it up', async () => {
  monitor.markDown('gone');
  fault = 'still gone';
  await vi.advanceTimersByTimeAsync(1_000);
  expect(monitor.health).toMatchObject({ state: 'down', reason: 'still gone' });
  fault = null;
  await vi.advanceTimersByTimeAsync(3_000);
  expect(told).toEqual(['up', 'down', 'up']);
});

test('down for one reason after another: told once, since when it went down first; up each time again: told once', () => {
  now = 1_000;
  monitor.markDown('gone');
  now = 2_000;
  monitor.markDown('refused');
  expect(monitor.health).toEqual({ state: 'down', since: 1_000, reason: 'refused' });
  monitor.markUp(true);
  monitor.markUp(true);
  expect(told).toEqual(['up', 'down', 'up']);
});

test('down for long: asked less often; failures that follow do not put the question off; down again: asked soon', async () => {
  fault = 'gone';
  monitor.markDown('gone');
  await vi.advanceTimersByTimeAsync(100);
  monitor.markDown('still gone');
  await vi.advanceTimersByTimeAsync(100);
  expect(probes).toBe(1);
  await vi.advanceTimersByTimeAsync(20_000);
  expect(probes).toBeLessThan(30);
  fault = null;
  monitor.markUp(true);
  probes = 0;
  monitor.markDown('gone');
  await vi.advanceTimersByTimeAsync(200);
  expect(probes).toBe(1);
});

test('it answers before it is asked: the question that was due is not asked any more', async () => {
  monitor.markDown('gone');
  monitor.markUp(true);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(probes).toBe(0);
});

test('it is asked at once instead of later: one question', async () => {
  monitor.markDown('gone');
  monitor.probeNow();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(probes).toBe(1);
});

test('it refuses writes alone: no read that is answered brings it up, but a write does', async () => {
  monitor.markDown('full', 'refusedWrites');
  monitor.markUp(false);
  monitor.probeNow();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(monitor.health).toMatchObject({ state: 'down', reason: 'full' });
  expect(monitor.isForWritesAlone).toBe(true);
  monitor.markUp(true);
  expect(monitor.health.state).toBe('up');
  expect(monitor.isForWritesAlone).toBe(false);
});

test('it refuses writes alone, and nobody has one to try: believed to take them after a while, where it answers', async () => {
  monitor.markDown('full', 'refusedWrites');
  await vi.advanceTimersByTimeAsync(20_000);
  monitor.markDown('still full', 'refusedWrites');
  monitor.probeNow();
  await vi.advanceTimersByTimeAsync(20_000);
  expect({ ...monitor.health, probes }).toMatchObject({ state: 'down', probes: 1 });
  await vi.advanceTimersByTimeAsync(11_000);
  expect({ ...monitor.health, probes }).toMatchObject({ state: 'up', probes: 2 });
});

test('it refuses writes alone, and then does not answer at all: down for all, and up again when it answers', async () => {
  monitor.markDown('full', 'refusedWrites');
  monitor.markDown('gone');
  expect(monitor.isForWritesAlone).toBe(false);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(monitor.health.state).toBe('up');
});

test('it does not finish writes: no other answer brings it up, not even a write that found its row, but one that it finishes', async () => {
  monitor.markDown('stalled', 'stalledWrites');
  writeFault = 'still stalled';
  monitor.markUp(false);
  monitor.markUp(true);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(monitor.health).toEqual({ state: 'down', since: 0, reason: 'no write is finished: still stalled' });
  expect(monitor.isForWritesAlone).toBe(true);
  expect(writes).toBeGreaterThan(4);
  writeFault = null;
  await vi.advanceTimersByTimeAsync(3_000);
  expect({ state: monitor.health.state, told }).toEqual({ state: 'up', told: ['up', 'down', 'up'] });
});

test('it does not finish writes, and then does not answer: down for all, and what answers brings it up', async () => {
  monitor.markDown('stalled', 'stalledWrites');
  fault = 'gone';
  await vi.advanceTimersByTimeAsync(1_000);
  expect({ ...monitor.health, writes }).toMatchObject({ state: 'down', reason: 'gone', writes: 0 });
  expect(monitor.isForWritesAlone).toBe(false);
  fault = null;
  await vi.advanceTimersByTimeAsync(3_000);
  expect({ state: monitor.health.state, writes }).toEqual({ state: 'up', writes: 0 });
});

test('it does not finish writes, and the probe comes too late as well: only a write that it finishes brings it up', async () => {
  monitor.markDown('stalled', 'stalledWrites');
  writeFault = 'still stalled';
  for (const traits of [{ isStalled: true }, { isOutage: false }]) {
    fault = new RecordFailure('refused', 'late', traits);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(monitor.health).toMatchObject({ reason: 'no write is finished: late' });
    fault = null;
    await vi.advanceTimersByTimeAsync(5_000);
    expect(monitor.health).toMatchObject({ reason: 'no write is finished: still stalled' });
  }
  writeFault = null;
  await vi.advanceTimersByTimeAsync(3_000);
  expect(monitor.health.state).toBe('up');
});

test('writes stall while it is asked whether it answers: that answer is none to this', async () => {
  monitor.markDown('gone');
  await vi.advanceTimersToNextTimerAsync();
  monitor.markDown('gone');
  vi.advanceTimersToNextTimer();
  monitor.markDown('stalled', 'stalledWrites');
  writeFault = 'stalled';
  await vi.advanceTimersByTimeAsync(5_000);
  expect(monitor.health).toMatchObject({ state: 'down', reason: 'no write is finished: stalled' });
  writeFault = null;
  await vi.advanceTimersByTimeAsync(5_000);
  expect(monitor.health.state).toBe('up');
});

test('it is closed while it is down: nothing waits for time any more', () => {
  monitor.markDown('gone');
  monitor.close();
  expect(vi.getTimerCount()).toBe(0);
});

test('it is closed while a probe is under way: nothing waits for time any more', async () => {
  monitor.markDown('full', 'refusedWrites');
  monitor.probeNow();
  monitor.close();
  await vi.advanceTimersByTimeAsync(0);
  monitor.markDown('closed');
  expect(vi.getTimerCount()).toBe(0);
});

test('what it is down for: a statement that writes rows and was not finished, or not allowed, speaks of writes alone, as a full disk does', () => {
  const answered = (code: string): RecordFailure =>
    failureOfStatement(Object.assign(new Error('no'), { code, severity: 'ERROR' }));
  expect(downForOf(answered('53100'), false)).toBe('refusedWrites');
  expect(downForOf(answered('57014'), true)).toBe('stalledWrites');
  expect(downForOf(answered('57014'), false)).toBe('everything');
  expect(downForOf(answered('42501'), true)).toBe('refusedWrites');
  expect(downForOf(answered('42501'), false)).toBe('everything');
  expect(downForOf(answered('58030'), true)).toBe('refusedWrites');
  expect(downForOf(answered('57P01'), true)).toBe('everything');
  expect(downForOf(new RecordFailure('unknown', 'lost'), true)).toBe('everything');
});
