/**
 * docs/LIMITS.md, "every queue and its bound", checked against the code: its names, its tests, and the queues that are
 * watched.
 */
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { repositoryRoot } from './support/root.ts';

const root = `${repositoryRoot}/`;

const read = (path: string): string => readFileSync(root + path, 'utf8');

function faultsOf(page: string, limits: string, watched: readonly string[]): string[] {
  const faults: string[] = [];
  const rows = page.split('\n').filter((line) => /^\| (?!what waits|---)/.test(line));
  for (const row of rows) {
    const [, what, bound, , tests = ''] =
      row.split(' | ').length === 4 ? ['', ...row.slice(2).split(' | ')] : [];
    if (what === undefined || bound === undefined) {
      faults.push(`not a row of four: ${row.slice(0, 60)}`);
      continue;
    }
    if (!/`[\w./-]+\.ts`/.test(tests)) faults.push(`${what}: names no test`);
    for (const [, path, name] of tests.matchAll(/`([\w./-]+\.ts)`(?:: "([^"]+)")?/g)) {
      if (!existsSync(root + path!)) faults.push(`${what}: ${path} does not exist`);
      else if (name !== undefined && !read(path!).includes(name))
        faults.push(`${what}: ${path} has no "${name}"`);
    }
  }
  for (const [name] of page.matchAll(/\b[A-Z]+(?:_[A-Z]+)+\b/g))
    if (!limits.includes(`export const ${name} =`)) faults.push(`${name} is no limit`);
  for (const queue of watched)
    if (!page.includes(`\`${queue}\``))
      faults.push(`${queue}: watched in the simulation, and not on the page`);
  return faults;
}

const page = read('docs/LIMITS.md');
const ofRedisDoor = read('src/core/clients/redis-limits.ts');
/** In the files that the page names. */
const named = [...page.matchAll(/`(src\/core\/[\w/-]*limits\.ts)`/g)].map(([, path]) => path!);
const ofAllElse = named
  .filter((path) => !path.endsWith('/redis-limits.ts'))
  .map(read)
  .join('');
const limits = ofAllElse + ofRedisDoor;
const sizes = read('sim/queue-sizes.ts');
const watched = [...sizes.slice(sizes.indexOf('return {')).matchAll(/^ {4}(\w+)[:,]/gm)].map(
  ([, name]) => name!,
);

test('every queue that is watched has a line, every limit exists, every test stands where it says', () => {
  expect(watched.length).toBeGreaterThan(15);
  expect(faultsOf(page, limits, watched)).toEqual([]);
});

test('limits of the Redis door stand in a file of their own, as the page says', () => {
  const namesIn = (text: string): string[] =>
    [...text.matchAll(/^export const (\w+) =/gm)].map(([, name]) => name!);
  expect(namesIn(ofRedisDoor).length).toBeGreaterThan(30);
  expect(namesIn(ofRedisDoor).filter((name) => !name.startsWith('RESP_'))).toEqual([]);
  expect(namesIn(ofAllElse).filter((name) => name.startsWith('RESP_'))).toEqual([]);
});

test('a queue without a line, a limit that is gone, a test that was renamed: refused', () => {
  expect(faultsOf(page, limits, [...watched, 'backlog']).join()).toContain('backlog');
  expect(faultsOf(page.replace('JOINERS_MAX', 'GUESTS_MAX'), limits, watched)).toEqual([
    'GUESTS_MAX is no limit',
  ]);
  const renamed = page.replace('"three times as much', '"four times as much');
  expect(faultsOf(renamed, limits, watched).join()).toContain('has no "four times');
  expect(
    faultsOf(page.replace('`src/node/store/hot-cache.test.ts`', 'surely'), limits, watched).join(),
  ).toContain('names no test');
});
