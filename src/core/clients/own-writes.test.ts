/** Which changes are announced to a client that does not want to hear of its own. */
import { beforeEach, describe, expect, test } from 'vitest';
import { failure } from '../errors.ts';
import type { WriteResult } from '../operation.ts';
import { OwnWrites } from './own-writes.ts';

const KEYS_MAX = 3;
let own: OwnWrites;
beforeEach(() => {
  own = new OwnWrites(KEYS_MAX);
});

const made = (version: number): WriteResult => ({ kind: 'done', version, number: null });
const shared = (version: number): WriteResult => ({ kind: 'modified', version, results: [], isShared: true });

describe('its write', () => {
  test('is answered, and its version can be read then: not told, and the next one is', () => {
    own.begin('k');
    expect(own.end('k', made(7))).toBe(false);
    expect(own.settled('k', 7)).toBe(false);
    expect(own.keyCount).toBe(0);
    expect(own.settled('k', 8)).toBe(true);
  });

  test('can be read before it is answered: not told either', () => {
    own.begin('k');
    expect(own.settled('k', 7)).toBe(false);
    expect(own.end('k', made(7))).toBe(false);
    expect(own.keyCount).toBe(0);
  });

  test('and the next one are answered before either is decided on: neither is told, and what comes between is', () => {
    for (const version of [7, 9]) {
      own.begin('k');
      expect(own.end('k', made(version))).toBe(false);
    }
    expect([7, 8, 9, 10].map((version) => own.settled('k', version))).toEqual([false, true, false, true]);
    expect(own.keyCount).toBe(0);
  });

  test('is one version with others: told, whichever comes first', () => {
    own.begin('k');
    expect(own.end('k', shared(7))).toBe(false);
    expect(own.settled('k', 7)).toBe(true);
    own.begin('k');
    expect(own.settled('k', 8)).toBe(false);
    expect(own.end('k', shared(8))).toBe(true);
  });

  test.each<[string, WriteResult]>([
    ['fails', { kind: 'failed', failure: failure('outcome_unknown') }],
    ['changes nothing', { kind: 'unchanged', version: 7, results: [] }],
    ['finds its condition broken', { kind: 'conditionFailed', current: undefined }],
  ])('%s: what came meanwhile is told', (_what, result) => {
    own.begin('k');
    expect(own.settled('k', 7)).toBe(false);
    expect(own.end('k', result)).toBe(true);
    expect(own.keyCount).toBe(0);
  });
});

describe('a change of another', () => {
  test('comes while its own is under way, a higher one or a lower: told behind the answer', () => {
    for (const version of [6, 8]) {
      own.begin('k');
      expect(own.settled('k', version)).toBe(false);
      expect(own.end('k', made(7))).toBe(true);
    }
  });

  test('outranks its own, which nobody could ever read: told, and nothing is kept of it', () => {
    own.begin('k');
    own.end('k', made(7));
    expect(own.settled('k', 8)).toBe(true);
    expect(own.keyCount).toBe(0);
  });

  test('nobody knows which: told, now or behind the answer', () => {
    expect(own.settled('k', 0)).toBe(true);
    own.begin('k');
    own.end('k', made(7));
    expect(own.settled('k', 0)).toBe(true);
    own.begin('k');
    expect(own.settled('k', 0)).toBe(false);
    expect(own.end('k', made(9))).toBe(true);
  });

  test('comes again and again meanwhile: told once, and not all are remembered', () => {
    own.begin('k');
    for (let version = 1; version <= 100; version += 1) expect(own.settled('k', version)).toBe(false);
    expect(own.end('k', made(100))).toBe(true);
  });
});

test('its write is long in coming: what came meanwhile is told once before, and once more behind the answer', () => {
  own.begin('k');
  expect(own.takeHeld()).toEqual([]);
  expect(own.settled('k', 9)).toBe(false);
  expect(own.takeHeld()).toEqual(['k']);
  expect(own.takeHeld()).toEqual([]);
  expect(own.end('k', made(7))).toBe(true);
  own.begin('k');
  expect(own.settled('k', 11)).toBe(false);
  expect(own.end('k', made(12))).toBe(true);
  expect(own.takeHeld()).toEqual([]);
});

test('several of its writes at once: the answer of the last tells what came meanwhile', () => {
  own.begin('k');
  own.begin('k');
  expect(own.settled('k', 7)).toBe(false);
  expect(own.end('k', made(7))).toBe(false);
  expect(own.settled('k', 9)).toBe(false);
  expect(own.end('k', made(8))).toBe(true);
});

test('more keys than are remembered: the oldest is told all the same, one that is being written is kept', () => {
  own.begin('busy');
  for (const key of ['a', 'b', 'c', 'd']) {
    own.begin(key);
    own.end(key, made(7));
  }
  expect(own.keyCount).toBe(KEYS_MAX);
  expect(own.settled('a', 7)).toBe(true);
  expect(own.settled('d', 7)).toBe(false);
  expect(own.end('busy', made(7))).toBe(false);
});
