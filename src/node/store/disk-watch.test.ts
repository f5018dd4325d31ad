/** What a node says and does about its disk as successive looks at it tell. */
import { expect, test } from 'vitest';
import { handClock } from '../../../test/support/hand-clock.ts';
import { DISK_LOOK_MS } from '../../core/limits.ts';
import type { DiskUsage } from '../../ports/disk-space.ts';
import { DiskWatch } from './disk-watch.ts';

const ROOM: DiskUsage = {
  ...{ freeBytes: 5_000, totalBytes: 100_000, freeFiles: 0, totalFiles: 0, isGone: false },
};

test('the directory is moved away and put back: out of writes and in again, each told once', () => {
  const clock = handClock();
  const events: string[] = [];
  const changes: boolean[] = [];
  let seen: DiskUsage | string = ROOM;
  const watch = new DiskWatch(
    {
      clock,
      telemetry: { event: (level, name) => void events.push(`${level} ${name}`), count: () => undefined },
      diskSpace: { look: (done) => (typeof seen === 'string' ? done(seen, ROOM) : done(null, seen)) },
      diskReserve: { bytes: 1_000, shareMax: 0.1 },
    },
    (isLow) => changes.push(isLow),
  );
  const look = (next: DiskUsage | string): void => {
    seen = next;
    clock.advance(DISK_LOOK_MS);
  };
  watch.start();
  look({ ...ROOM, isGone: true });
  look({ ...ROOM, isGone: true });
  expect(watch.seen.isGone).toBe(true);
  look('EIO: i/o error');
  expect(watch.seen.isGone).toBe(true);
  look(ROOM);
  look({ ...ROOM, freeBytes: 10 });
  look({ ...ROOM, isGone: true });
  look({ ...ROOM, freeBytes: 10 });
  expect(events).toEqual([
    'error disk.gone',
    'warn disk.unknown',
    'info disk.enough',
    'error disk.low',
    'error disk.gone',
    'error disk.low',
  ]);
  expect(changes).toEqual([true, false, true]);
});
