/**
 * What depends on LevelDB's error messages. Everything else about this store is covered by the contract in
 * `test/contracts/`.
 */
import { expect, test } from 'vitest';
import { classifyWriteError } from './store.ts';

test('an error of the system told only as text: a full disk is told from a broken one', () => {
  const wrapped = new Error('batch failed', {
    cause: new Error('IO error: 000003.log: No space left on device'),
  });
  expect(classifyWriteError(wrapped).kind).toBe('full');
  expect(classifyWriteError(new Error('IO error: /data/000003.log: Disk quota exceeded')).kind).toBe('full');
  expect(classifyWriteError(new Error('IO error: /data/000003.log: Input/output error')).kind).toBe('io');
});
