/** Messages sent in an epoch that is not known here yet. */
import { expect, test } from 'vitest';
import { EARLY_BYTES_MAX } from '../../core/limits.ts';
import type { FrameHeader, PeerMessage } from '../../core/message.ts';
import { EarlyMessages } from './early-messages.ts';

const header = (epoch: number): FrameHeader => ({ from: 1, incarnation: 3, epoch });
const query = (key: string): PeerMessage => ({ kind: 'query', key, version: 1 });

function begin(): { early: EarlyMessages; taken: string[] } {
  const taken: string[] = [];
  const early = new EarlyMessages((name, { epoch }, message) =>
    taken.push(`${name} ${epoch} ${'key' in message ? message.key : ''}`),
  );
  return { early, taken };
}

test('the epoch becomes known: what was said in it is heard in its order, of a later one later, of an earlier one never', () => {
  const { early, taken } = begin();
  early.keep('a', header(8), query('1'), 10);
  early.keep('b', header(9), query('2'), 10);
  early.keep('a', header(8), query('3'), 10);
  early.keep('c', header(7), query('4'), 10);
  early.onEpoch(6);
  expect(taken).toEqual([]);
  early.onEpoch(8);
  expect(taken).toEqual(['a 8 1', 'a 8 3']);
  early.onEpoch(9);
  expect(taken).toEqual(['a 8 1', 'a 8 3', 'b 9 2']);
  expect(early.count).toBe(0);
});

test('the link of a peer is gone: what was kept of it is, too', () => {
  const { early, taken } = begin();
  early.keep('a', header(8), query('1'), 10);
  early.keep('b', header(8), query('2'), 10);
  early.forget('a');
  early.onEpoch(8);
  expect(taken).toEqual(['b 8 2']);
});

test('more than there is room for: what comes after it is lost, until there is room again', () => {
  const { early, taken } = begin();
  for (const key of ['1', '2', '3']) early.keep('a', header(8), query(key), EARLY_BYTES_MAX / 2);
  early.onEpoch(8);
  early.keep('a', header(9), query('4'), EARLY_BYTES_MAX);
  early.onEpoch(9);
  expect(taken).toEqual(['a 8 1', 'a 8 2', 'a 9 4']);
});
