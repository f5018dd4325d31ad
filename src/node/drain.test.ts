/** A clean stop: who is turned away when, and what is waited for. */
import { expect, test } from 'vitest';
import { handClock } from '../../test/support/hand-clock.ts';
import { TICK_MS } from '../core/limits.ts';
import { Admission } from './admission.ts';
import { DRAIN_MS_MAX, drain } from './drain.ts';

function stopping(): { admission: Admission; clock: ReturnType<typeof handClock>; isOver: () => boolean } {
  const admission = new Admission();
  const clock = handClock();
  expect(admission.refusal('client', 'write', 1)).toBeNull();
  let over = false;
  drain(admission, clock, () => (over = true));
  return { admission, clock, isOver: () => over };
}

test('while a client waits for an answer, other nodes may still ask what that answer needs', () => {
  const { admission, clock, isOver } = stopping();
  expect(admission.refusal('client', 'write', 1)?.code).toBe('not_ready');
  clock.advance(TICK_MS);
  expect(admission.refusal('peer', 'write', 1)).toBeNull();
  admission.leave('client', 'write', 1, 0);
  clock.advance(TICK_MS);
  expect(admission.refusal('peer', 'write', 1)?.code).toBe('not_ready');
  expect(isOver()).toBe(false);
  admission.leave('peer', 'write', 1, 0);
  clock.advance(TICK_MS);
  expect(isOver()).toBe(true);
});

test('what does not end is not waited for beyond the deadline', () => {
  const { admission, clock, isOver } = stopping();
  clock.advance(DRAIN_MS_MAX - 1);
  expect(isOver()).toBe(false);
  clock.advance(TICK_MS);
  expect(isOver()).toBe(true);
  expect(admission.refusal('peer', 'write', 1)?.code).toBe('not_ready');
});

test('nothing is under way: over at once', () => {
  let over = false;
  drain(new Admission(), handClock(), () => (over = true));
  expect(over).toBe(true);
});
