/**
 * Keeps the table of rules complete and honest, as far as a machine can: every rule has one line and a known state, the
 * tests that it names exist in the files that it names, every switch that breaks a rule is named by one, and what is
 * not built is stated.
 */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const RULE_COUNT = 34;
const ROW = /^\| (R\d+) \| (held|in part|planned) \| (.+) \|$/;

interface Repository {
  /** The text of a file, null if there is none. */
  readonly read: (path: string) => string | null;
  /** The switches of `src/core/mutations.ts`. */
  readonly switches: ReadonlySet<string>;
}

function ruleFaults(text: string, { read, switches }: Repository): string[] {
  const faults: string[] = [];
  const left = new Set(Array.from({ length: RULE_COUNT }, (_, index) => `R${index + 1}`));
  const unnamed = new Set(switches);
  for (const line of text.split('\n')) {
    if (!/^\| R\d/.test(line)) continue;
    const [, rule = '', state = '', words = ''] = ROW.exec(line) ?? [];
    if (!left.delete(rule)) faults.push(`${line.slice(0, 40)}: not a row of the table, or twice`);
    faults.push(...testFaults(rule, state, words, read));
    for (const name of switchesOf(words)) {
      unnamed.delete(name);
      if (!switches.has(name)) faults.push(`${rule}: ${name} is no switch`);
    }
  }
  faults.push(...[...left].map((rule) => `${rule}: has no line`));
  return [...faults, ...[...unnamed].map((name) => `${name}: no rule names this switch`)];
}

/** Each file is followed by the names of tests in it. */
function testFaults(rule: string, state: string, words: string, read: Repository['read']): string[] {
  const faults: string[] = [];
  let file: { readonly path: string; readonly text: string | null } | null = null;
  let named = 0;
  for (const [, path, name] of words.matchAll(/`([\w./-]+\.ts)`|"([^"]+)"/g)) {
    if (path !== undefined) {
      file = { path, text: read(path) };
      if (file.text === null) faults.push(`${rule}: ${path} does not exist`);
    } else if (file !== null && isTest(file.path)) {
      named += 1;
      if (file.text?.includes(name!) === false) faults.push(`${rule}: ${file.path} has no "${name}"`);
    }
  }
  if (state !== 'planned' && named === 0) faults.push(`${rule}: names no test`);
  const isOpen = /\b(?:Missing|Planned): /.test(words);
  if (isOpen !== (state !== 'held')) faults.push(`${rule}: what is missing?`);
  return faults;
}

function isTest(path: string): boolean {
  return path.endsWith('.test.ts') || path.startsWith('test/contracts/');
}

function switchesOf(words: string): string[] {
  const told = /Broken by ((?:`\w+`(?:, )?)+)/.exec(words)?.[1] ?? '';
  return [...told.matchAll(/`(\w+)`/g)].map((match) => match[1]!);
}

const table = readFileSync(`${root}docs/RULES.md`, 'utf8');
const repository: Repository = {
  read: (path) => (existsSync(root + path) ? readFileSync(root + path, 'utf8') : null),
  switches: new Set(
    [...readFileSync(`${root}src/core/mutations.ts`, 'utf8').matchAll(/readonly (\w+)\?: boolean/g)].map(
      (match) => match[1]!,
    ),
  ),
};

test('every rule: one line, a known state, tests that stand where it says, and every switch', () => {
  expect(repository.switches.size).toBeGreaterThan(20);
  expect(ruleFaults(table, repository)).toEqual([]);
});

test('a line that is missing, a test that was renamed, a switch that is gone or not named, nothing said of what is missing: refused', () => {
  const row = table.split('\n').find((line) => line.startsWith('| R12 |'))!;
  const changed = (from: string, to: string): string =>
    ruleFaults(table.replace(from, to), repository).join();
  expect(changed(row, '')).toBe('R12: has no line,forgetInFlight: no rule names this switch');
  expect(changed(row, `${row}\n${row}`)).toContain('twice');
  expect(changed(row, row.replace('everything dies with', 'all dies with'))).toContain('has no "all dies');
  expect(changed(row, row.replace('returning.test.ts', 'gone.test.ts'))).toContain('does not exist');
  expect(changed(row, row.replace('forgetInFlight', 'forgetAll'))).toContain('forgetAll is no switch');
  expect(changed(row, row.replace('| held |', '| surely |'))).toContain('not a row');
  expect(changed(row, row.replace('| held |', '| in part |'))).toBe('R12: what is missing?');
  const open = row.replace(/ \|$/, ' Missing: a story. |');
  expect(changed(row, open)).toBe('R12: what is missing?');
  expect(changed(row, open.replace('| held |', '| in part |'))).toBe('');
});
