/** Frames from peers that cannot be decoded. */
import { expect, test } from 'vitest';
import { KeyWatch } from '../../core/key-watch.ts';
import { FrameDesk } from './frame-desk.ts';
import type { FrameDeskParts } from './frame-desk.ts';

test('a frame of an owner that does not decode: what it watches for clients here is told as changed, for it may have said so', () => {
  const changed: string[] = [];
  const keyWatch = new KeyWatch({}, { canAsk: () => true, send: () => undefined, sessionFirst: 1 });
  const ignore = (): void => undefined;
  keyWatch.listen({
    changed: (key) => changed.push(key),
    allChanged: ignore,
    settled: ignore,
    unsure: ignore,
  });
  for (const owner of ['b', 'c']) {
    keyWatch.watch(`at ${owner}`);
    expect(keyWatch.handsOver(`at ${owner}`, owner, false)).toBe(true);
    keyWatch.answered(`at ${owner}`, owner, 7);
  }
  const events: unknown[] = [];
  const telemetry = { event: (_: string, name: string) => events.push(name), count: ignore };
  const desk = new FrameDesk({ telemetry, keyWatch, protocolMax: 1 } as unknown as FrameDeskParts);
  desk.onFrame('b', Buffer.from('nonsense'));
  expect([events, changed]).toEqual([['peer.frame_damaged'], ['at b']]);
});
