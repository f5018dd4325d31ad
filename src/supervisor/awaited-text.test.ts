/** How a start describes what it waits for. */
import { expect, test } from 'vitest';
import { AwaitedPace, awaitedText, databaseAdvice } from './awaited-text.ts';

const at = (name: string, reason: string) => ({ name, reason });

test('several wait for the same: the reason stands once, behind their names', () => {
  const listen = 'does not listen yet';
  expect(awaitedText([at('node-1', listen), at('node-2', listen), at('node-3', listen)])).toBe(
    'node-1, node-2, node-3 (does not listen yet)',
  );
  expect(awaitedText([at('node-1', listen), at('node-2', 'founding'), at('node-3', listen)])).toBe(
    'node-1, node-3 (does not listen yet), node-2 (founding)',
  );
  expect(awaitedText([at('the sample legacy API', 'does not answer yet')])).toBe(
    'the sample legacy API (does not answer yet)',
  );
});

test('a database of their own that is away: people are told what they can do, and of nothing else', () => {
  const away = 'the node is founding, PostgreSQL is awaited (connect ECONNREFUSED 127.0.0.1:9)';
  expect(databaseAdvice([at('node-1', 'does not listen yet'), at('node-2', away)])).toMatch(/DATABASE_URL/);
  expect(databaseAdvice([at('node-1', 'does not listen yet')])).toBeUndefined();
});

test('a wait that lasts: what is new is said every two seconds at most, what is the same ever less often', () => {
  const pace = new AwaitedPace(2_000, 0);
  const said: string[] = [];
  const reasonAt = (second: number): string => (second < 40 ? 'the database' : 'node-2');
  for (let second = 0; second <= 60; second += 1)
    if (pace.isDue(reasonAt(second), second * 1_000)) said.push(`${reasonAt(second)} ${second}`);
  expect(said).toEqual([
    ...['the database 2', 'the database 4', 'the database 8', 'the database 16', 'the database 32'],
    ...['node-2 40', 'node-2 42', 'node-2 46', 'node-2 54'],
  ]);
});
