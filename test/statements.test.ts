/**
 * All SQL is in one catalogue: files named `*statements.ts` under `src`, `sql/migrations` and `sql/compat`. Each
 * statement is marked with exactly what it needs of a server beyond plain SQL, and `docs/SCALE.md` says for each such
 * feature which relatives of PostgreSQL have it. (Migrations are run by a library that adds a table and a lock of its
 * own; it is named there.)
 */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import type { Statement } from '../src/base/sql-statement.ts';
import * as adoption from '../src/adapters/postgres/adoption-statements.ts';
import * as compat from '../src/adapters/postgres/compat-statements.ts';
import * as server from '../src/adapters/postgres/server-statements.ts';
import * as outside from '../src/adapters/postgres/outside-statements.ts';
import * as scrub from '../src/adapters/postgres/scrub-statements.ts';
import * as lives from '../src/adapters/postgres/life-statements.ts';
import * as record from '../src/adapters/postgres/statements.ts';
import * as doctor from '../src/cli/doctor-statements.ts';
import * as database from '../src/supervisor/database-statements.ts';
import { FEATURES, featuresOf, scaleRows } from './support/sql-catalogue.ts';
import { readSources } from './tidy/places.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const CATALOGUE: Record<string, object> = {
  'src/adapters/postgres/adoption-statements.ts': adoption,
  'src/adapters/postgres/compat-statements.ts': compat,
  'src/adapters/postgres/life-statements.ts': lives,
  'src/adapters/postgres/outside-statements.ts': outside,
  'src/adapters/postgres/scrub-statements.ts': scrub,
  'src/adapters/postgres/server-statements.ts': server,
  'src/adapters/postgres/statements.ts': record,
  'src/cli/doctor-statements.ts': doctor,
  'src/supervisor/database-statements.ts': database,
};

/** Statements by name; of those generated from numbers, one. */
function statementsOf(module: object): [string, Statement][] {
  const made = Object.entries(module).map(([name, made]: [string, unknown]) => [
    name,
    typeof made === 'function' ? (made as (...numbers: number[]) => unknown)(1, 2) : made,
  ]);
  const isStatement = (each: unknown): boolean => typeof each === 'object' && each !== null && 'text' in each;
  return made.filter(([, made]) => isStatement(made)) as [string, Statement][];
}

const statements = Object.values(CATALOGUE).flatMap(statementsOf);
const migrations = ['sql/compat', 'sql/migrations'].flatMap((folder) =>
  readdirSync(join(root, folder)).map((file): [string, string] => [
    `${folder}/${file}`,
    readFileSync(join(root, folder, file), 'utf8'),
  ]),
);

describe('the catalogue of SQL', () => {
  test('every file of that name is in it', () => {
    const files = readSources(root).map(({ path }) => path);
    expect(files.filter((path) => /^src\/.*statements\.ts$/.test(path)).sort()).toEqual(
      Object.keys(CATALOGUE),
    );
    expect(statements.length).toBeGreaterThan(40);
  });

  test.each(statements)('%s is marked with what it uses', (_, { text, features }) => {
    expect([...features].sort()).toEqual(featuresOf(text).sort());
  });

  test.each(migrations)('%s is marked with what it uses', (_, text) => {
    const marked = /^-- Uses: (.+)$/m.exec(text)?.[1]?.split(/, |\.$/) ?? [];
    expect(marked.filter((feature) => feature !== '').sort()).toEqual(
      featuresOf(text.replace(/^--.*$/gm, '')).sort(),
    );
  });

  test('no feature is listed that nothing uses', () => {
    const used = new Set([
      ...statements.flatMap(([, { features }]) => features),
      ...migrations.flatMap(([, text]) => featuresOf(text)),
    ]);
    expect(FEATURES.filter((feature) => !used.has(feature))).toEqual([]);
  });

  test('the page on scale says of every feature who has it, with a page of each documentation', () => {
    const rows = scaleRows();
    expect(rows.map(([feature]) => feature)).toEqual([...FEATURES]);
    for (const [feature, cells] of rows) {
      expect(cells.length, feature).toBe(4);
      for (const cell of cells.slice(1))
        expect(cell, feature).toMatch(/^(has it|differs|lacks it|not told)\b/);
      for (const cell of cells.slice(1))
        if (!cell.startsWith('not told')) expect(cell, feature).toMatch(/\]\[\w+\]|\]\(https:/);
    }
  });
});

/** Strings that are SQL, and literals passed to a client of PostgreSQL. */
function sqlFaults(path: string, text: string): string[] {
  if (!SUSPICION.test(text)) return [];
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.ES2023, true);
  const faults: string[] = [];
  const found = (node: ts.Node, what: string): void => {
    const { line } = file.getLineAndCharacterOfPosition(node.getStart(file));
    faults.push(`${path}:${line + 1}: ${what} outside the catalogue`);
  };
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node) || ts.isTemplateExpression(node)) {
      if (isSql(node.getText(file).slice(1, -1))) found(node, 'SQL');
    }
    if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression)) {
      const { expression, name } = node.expression;
      const isSent = name.text === 'query' && !/\breq$/.test(expression.getText(file));
      if (isSent && node.arguments[0] !== undefined && hasLiteralText(node.arguments[0]))
        found(node, 'a literal query');
    }
    if (ts.isIdentifier(node) && node.text === 'unprepared') found(node, 'a statement made');
    ts.forEachChild(node, visit);
  };
  visit(file);
  return faults;
}

/** A file is only parsed if it contains one of these: parsing all of them takes seconds. */
const SUSPICION =
  /\b(select|insert into|delete from|update \S+ set|lock table|alter table|drop table|truncate|create (table|index|view|schema|database)|cursor|with \w+ as|unprepared)\b|['"`](set|show) |\.query\b/i;

/** Words in an order that English does not have. */
const SQL = new RegExp(
  [
    String.raw`with \w+ as \(|select\s.*\sfrom\s|select \w+\(|select 1\b|insert into |delete from `,
    String.raw`update [\w.]+ (as \w+ )?set |lock table |alter table |drop table |truncate `,
    String.raw`create (table|index|view|schema|database) |declare \w+ .*cursor|set (local )?\w+ = |show \w+$`,
  ]
    .map((words) => String.raw`^\s*(${words})`)
    .join('|'),
  's',
);

/** All in lower case, or with its first words in upper case: a sentence is neither. */
function isSql(text: string): boolean {
  return SQL.test(/^\s*[A-Z]{4}/.test(text) ? text.toLowerCase() : text);
}

function hasLiteralText(argument: ts.Expression): boolean {
  if (ts.isStringLiteralLike(argument) || ts.isTemplateExpression(argument)) return true;
  if (!ts.isObjectLiteralExpression(argument)) return false;
  return argument.properties.some(
    (property) =>
      ts.isPropertyAssignment(property) &&
      property.name.getText() === 'text' &&
      hasLiteralText(property.initializer),
  );
}

describe('what is sent', () => {
  test('no source but the catalogue has SQL in it', () => {
    const sources = readSources(root).filter(
      ({ path }) =>
        path.startsWith('src/') &&
        !path.endsWith('.test.ts') &&
        !(path in CATALOGUE) &&
        path !== 'src/base/sql-statement.ts',
    );
    expect(sources.length).toBeGreaterThan(200);
    expect(sources.flatMap(({ path, text }) => sqlFaults(path, text))).toEqual([]);
  });

  test.each([
    "client.query('begin');",
    'client.query<Row>(`show ${name}`);',
    "client.query({ text: 'commit', values: [] });",
    "const a = 'select key from causeway.record';",
    'const a = `with fence as (${fence}) select 1`;',
    "const a = 'DELETE FROM kv_store';",
    "const a = 'select pg_is_in_recovery()';",
    "const a = unprepared('x');",
  ])('%s: found', (text) => {
    expect(sqlFaults('src/a.ts', text)).not.toEqual([]);
  });

  test.each([
    "context.req.query('after');",
    "const a = 'Select a node, from 1 on';",
    "const a = 'SELECT is';",
    'client.query(BEGIN.text);',
  ])('%s: fine', (text) => {
    expect(sqlFaults('src/a.ts', text)).toEqual([]);
  });
});
