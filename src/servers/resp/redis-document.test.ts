/** docs/REDIS.md must agree with the command table, and the table must know every command of Redis by name. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ERROR_TABLE } from '../../core/errors.ts';
import { ABSENT_GROUPS } from './absent-commands.ts';
import { Arguments } from './arguments.ts';
import { COMMANDS } from './command-table.ts';
import { commandTables, errorTable, withTables } from './redis-document.ts';

const page = readFileSync(new URL('../../../docs/REDIS.md', import.meta.url), 'utf8');

test('the page has the tables of today: else `node scripts/run.js scripts/redis-document.ts`', () => {
  expect(page).toBe(withTables(page));
});

test('a page with an older table is another', () => {
  expect(withTables(page.replace('| `GET` | full |', '| `GET` | absent |'))).toBe(page);
  expect(() => withTables('# Nothing')).toThrow('no place');
});

test('no command is both there and absent, and all have a line', () => {
  const absent = ABSENT_GROUPS.flatMap(({ names }) => names);
  expect(new Set(absent).size).toBe(absent.length);
  const tables = commandTables();
  for (const { name, subcommands } of COMMANDS.commands) {
    expect(absent).not.toContain(name);
    if (subcommands === null) expect(tables).toContain(`| \`${name.toUpperCase()}\` |`);
  }
  expect(absent).toContain('lpush');
});

test('every failure has a line, and only indefinite ones say INDEFINITE', () => {
  const rows = errorTable().split('\n').slice(2);
  expect(rows).toHaveLength(Object.keys(ERROR_TABLE).length);
  for (const row of rows) expect(row.includes('| indefinite |')).toBe(row.includes('`-INDEFINITE'));
});

test('names are found in any case, and nothing else is', () => {
  for (const { name } of COMMANDS.commands) {
    expect(COMMANDS.find(Arguments.of(name.toUpperCase()))?.name).toBe(name);
    expect(COMMANDS.find(Arguments.of(name))?.name).toBe(name);
  }
  for (const name of ['', 'ge', 'gett', 'g\0t', 'GET ', 'constructor', '\x07ET', 'x'.repeat(5_000)]) {
    expect(COMMANDS.find(Arguments.of(name))).toBeUndefined();
  }
});
