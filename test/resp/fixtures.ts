/** Locates and reads the recorded sequences. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from '../support/root.ts';
import { parseFixture } from './sequence.ts';
import type { Sequence } from './sequence.ts';

export function fixturePath(family: string): string {
  return join(repositoryRoot, 'test', 'resp', 'fixtures', `${family}.txt`);
}

export function readFixture(family: string): { readonly version: string; readonly sequences: Sequence[] } {
  const text = readFileSync(fixturePath(family), 'utf8');
  const version = /^# Redis (\S+):/.exec(text)?.[1];
  if (version === undefined) throw new Error(`${fixturePath(family)}: no version of Redis in its first line`);
  return { version, sequences: parseFixture(family, text) };
}
