/** Frames from peers that cannot be decoded. */
import { expect, test } from 'vitest';
import { KeyWatch } from '../../core/clients/key-watch.ts';
import { PEER_LINES_PER_SECOND_MAX } from '../../core/limits.ts';
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
  const clock = { now: () => 0 };
  const desk = new FrameDesk({ clock, telemetry, keyWatch, protocolMax: 1 } as unknown as FrameDeskParts);
  desk.onFrame('b', Buffer.from('nonsense'));
  expect([events, changed]).toEqual([['peer.frame_damaged'], ['at b']]);
});

test('a stranger that is refused, or sends nonsense, again and again: so many lines a second, and the rest counted', () => {
  const ignore = (): void => undefined;
  const lines: [string, unknown?][] = [];
  const telemetry = {
    event: (_level: string, name: string, { count }: { count?: number }) =>
      lines.push(count === undefined ? [name] : [name, count]),
  };
  let now = 0;
  const clock = { now: () => now, after: () => ignore };
  const keyWatch = { abroad: { lose: ignore } };
  const desk = new FrameDesk({ clock, telemetry, keyWatch, protocolMax: 1 } as unknown as FrameDeskParts);
  const nonsense = Buffer.from('nonsense');
  for (let at = 0; at < PEER_LINES_PER_SECOND_MAX; at += 1) {
    desk.onRefused(`stranger-${at}`, 'why');
    desk.onFrame(`stranger-${at}`, nonsense);
  }
  expect(lines).toHaveLength(PEER_LINES_PER_SECOND_MAX);
  expect(lines.slice(0, 2)).toEqual([['peer.refused'], ['peer.frame_damaged']]);
  now = 1_000;
  desk.onFrame('stranger', nonsense);
  expect(lines.slice(PEER_LINES_PER_SECOND_MAX)).toEqual([
    ['peer.lines_left_out', PEER_LINES_PER_SECOND_MAX],
    ['peer.frame_damaged'],
  ]);
});
