/** Writes repeated under their operation ids, with the rules as they are; `sim/mutants.test.ts` breaks some. */
import { expect, test } from 'vitest';
import {
  leftoverOperation,
  openOverRestart,
  repeatedAfterCoordinatorDied,
  repeatedAfterRefusal,
  repeatedAfterRestart,
  repeatedAtFormerLearner,
  repeatedWhileOpen,
  writtenOverWhileOpen,
} from './operation-ids.ts';

test('a write is repeated after its coordinator died: answered as the first time, done once', () => {
  expect(repeatedAfterCoordinatorDied({})).toBe('ok');
});

test('a write is repeated while it is open on one disk: it is finished first, and done once', () => {
  expect(repeatedWhileOpen({})).toBe('ok');
});

test('a write is repeated after the whole cluster restarted: answered as the first time, done once', () => {
  expect(repeatedAfterRestart({})).toBe('ok');
});

test('all die with a write on two disks: finished at the start, it is known by its id', () => {
  expect(openOverRestart({})).toBe('ok');
});

test('a write is repeated that was refused for certain: it is done now', () => {
  expect(repeatedAfterRefusal({})).toBe('ok');
});

test('a write above one whose fate is open: waits for it, so that it stays known', () => {
  expect(writtenOverWhileOpen({})).toBe('ok');
});

test('a node was away when a write was done: complete again, it knows it by its id', () => {
  expect(repeatedAtFormerLearner({})).toBe('ok');
});

test('a node comes back with an operation that never happened: the repeated one is done', () => {
  expect(leftoverOperation({})).toBe('ok');
});
