/** The words for what a start waits for. */
import { expect, test } from 'vitest';
import { awaitedText, databaseAdvice } from './awaited-text.ts';

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
