/**
 * Keeps the list of hazards complete and honest, as far as a machine can: every hazard has one line and a known state,
 * "tested" names tests that exist, and what is missing is stated. Whether a test would really notice is for people to
 * judge.
 */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const COUNT_BY_LETTER = { A: 20, B: 14, C: 23, D: 11, E: 9, F: 11, G: 13, H: 5 };
const ROW = /^\| ([A-H]\d+): .+? \| (\w+(?: \w+)?) \| (.+) \|$/;
const STATES = ['tested', 'in part', 'impossible', 'later'];

function hazardFaults(text: string, exists: (path: string) => boolean): string[] {
  const faults: string[] = [];
  const left = new Set(
    Object.entries(COUNT_BY_LETTER).flatMap(([letter, count]) =>
      Array.from({ length: count }, (_, index) => `${letter}${index + 1}`),
    ),
  );
  for (const line of text.split('\n')) {
    if (!/^\| [A-H]\d/.test(line)) continue;
    const [, id = '', state = '', words = ''] = ROW.exec(line) ?? [];
    if (!left.delete(id)) faults.push(`${line.slice(0, 40)}: not a row of the list, or twice`);
    if (!STATES.includes(state)) faults.push(`${id}: ${state} is no state`);
    faults.push(...rowFaults(id, state, words, exists));
  }
  return [...faults, ...[...left].map((id) => `${id}: has no line`)];
}

function rowFaults(id: string, state: string, words: string, exists: (path: string) => boolean): string[] {
  const paths = [...words.matchAll(/`([\w./-]+\.ts)`/g)].map((match) => match[1]!);
  const faults = paths.filter((path) => !exists(path)).map((path) => `${id}: ${path} does not exist`);
  const named = paths.some(isTest);
  if ((state === 'tested' || state === 'in part') && !named) faults.push(`${id}: names no test`);
  const misses = words.includes('Missing: ');
  if (misses !== (state === 'in part' || state === 'later')) faults.push(`${id}: what is missing?`);
  return faults;
}

/** The simulation is not a vitest file, but a part of `npm test`. */
function isTest(path: string): boolean {
  return path.endsWith('.test.ts') || path.startsWith('test/contracts/') || path === 'sim/run.ts';
}

const list = readFileSync(`${root}docs/hazards.md`, 'utf8');

test('every hazard: one line, a known state, tests that exist', () => {
  expect(hazardFaults(list, (path) => existsSync(root + path))).toEqual([]);
});

test('a line that is missing or twice, an unknown state, a test that is gone or not named: refused', () => {
  const row = list.split('\n').find((line) => line.startsWith('| D9:'))!;
  const missing = list.split('\n').find((line) => line.startsWith('| E7:'))!;
  const changed = (from: string, to: string): string =>
    hazardFaults(list.replace(from, to), () => true).join();
  expect(changed(row, '')).toBe('D9: has no line');
  expect(changed(row, `${row}\n${row}`)).toContain('twice');
  expect(changed(row, row.replace('| tested |', '| surely |'))).toContain('surely is no state');
  expect(
    changed(row, row.replace('src/core/membership/register.test.ts', 'src/core/membership/register.ts')),
  ).toBe('D9: names no test');
  expect(changed(missing, missing.replace('Missing: ', ''))).toBe('E7: what is missing?');
  expect(hazardFaults(list, (path) => path !== 'src/core/membership/register.test.ts').join()).toContain(
    'does not exist',
  );
});
