/** What the system said, in words that tell what to do. */
import { mkdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { directoryAdvice, isSystemError, knownAdvice, systemReason } from './system-reason.ts';

const told = (code: string, message = code): Error => Object.assign(new Error(message), { code });

test('what is known by its code: in words; anything else as it is', () => {
  expect(systemReason(told('ENOSPC'))).toBe('no space is left on its disk (ENOSPC)');
  expect(systemReason(told('EXDEV', 'EXDEV: cross-device link'))).toBe('EXDEV: cross-device link');
  // A name that every object inherits is not a known code.
  expect(systemReason(told('constructor', 'odd'))).toBe('odd');
  expect(systemReason('odd')).toBe('odd');
});

test('a data directory: the advice fits the fault, told by a code or in the words of the store', () => {
  expect(directoryAdvice(told('ENOSPC'))).toBe('no space is left on its disk: free some');
  expect(directoryAdvice(new Error('IO error: x/LOCK: No space left on device'))).toContain('free some');
  expect(directoryAdvice(new Error('IO error: x/LOCK: Read-only file system'))).toContain('read-only');
  expect(directoryAdvice(told('EEXIST'))).toBe('a file is in its place');
  expect(directoryAdvice(told('EACCES'))).toBe('put its permissions right');
});

test("a lock that cannot be taken: only what is known to be the directory's is told as its fault", () => {
  expect(knownAdvice(new Error('IO error: x/LOCK: Permission denied'))).toBe('put its permissions right');
  expect(knownAdvice(new Error('IO error: x/LOCK: Disk quota exceeded'))).toContain('free some');
  expect(knownAdvice(new Error('IO error: x/LOCK: Input/output error'))).toBeUndefined();
});

test('an error of the system, and one of the program', () => {
  let thrown: unknown;
  try {
    mkdirSync('/');
  } catch (error) {
    thrown = error;
  }
  expect(isSystemError(thrown)).toBe(true);
  expect(isSystemError(new TypeError('x is not a function'))).toBe(false);
});
