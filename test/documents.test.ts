/**
 * The documentation, checked against the repository as far as a machine can: everything that it links to or names
 * exists.
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { repositoryRoot } from './support/root.ts';
import { anchorsIn, commandFaults, linkFaults, nameFaults } from './tidy/documents.ts';
import type { Place } from './tidy/documents.ts';
import { SOURCE_FOLDERS } from './tidy/places.ts';

const place: Place = {
  exists: (path) => existsSync(join(repositoryRoot, path)),
  read: (path) => readFileSync(join(repositoryRoot, path), 'utf8'),
};
const { scripts } = JSON.parse(place.read('package.json')) as { scripts: Record<string, string> };
const FOLDERS = [...SOURCE_FOLDERS, 'docs', 'deploy', 'proto', 'sql'];

const pages = ['', 'docs', 'docs/decisions'].flatMap((folder) =>
  readdirSync(join(repositoryRoot, folder))
    .filter((name) => name.endsWith('.md') && name !== 'THIRD-PARTY-NOTICES.md')
    .map((name) => join(folder, name)),
);

test('every link of every page leads to a file, and to a heading where it names one', () => {
  expect(pages.length).toBeGreaterThan(45);
  expect(pages.flatMap((path) => linkFaults(path, place.read(path), place))).toEqual([]);
});

test('every file, folder and script of npm that a page names is there', () => {
  const faults = pages.flatMap((path) =>
    nameFaults(path, place.read(path), FOLDERS, Object.keys(scripts), place),
  );
  expect(faults).toEqual([]);
});

test('every page can be found: each is led to from another one, the README first', () => {
  const found = new Set(['README.md']);
  for (const path of found)
    for (const [, target] of place.read(path).matchAll(/\]\(([^)\s#]+)/g)) {
      const to = join(path, '..', target!);
      if (pages.includes(to)) found.add(to);
      // A link to a folder lists the pages in it.
      for (const page of pages) if (join(page, '..') === to) found.add(page);
    }
  expect(pages.filter((path) => !found.has(path))).toEqual([]);
});

test('a link to nothing, a heading that is gone, a file, a script, a command or an option that is not there: told', () => {
  const faulty = [
    '# A word, and `code`',
    '# A word, and `code`',
    '[a](b.md) [b](#a-word-and-code-1) [c](#a-word) [d](https://a.b/c) `src/gone.ts` `src/*.ts` npm run gone',
    '`causeway get k --allow-stale` `causeway cluster plan --leave a` `causeway of old` `causeway get k --gone`',
    '```\n[e](gone.md)\n$ causeway status | grep --quiet x\nnode /app/scripts/causeway.js cluster gone --yes\n```',
  ].join('\n');
  const nothing: Place = { exists: (path) => path === 'docs/a.md', read: () => '' };
  expect(anchorsIn(faulty)).toEqual(['a-word-and-code', 'a-word-and-code-1']);
  expect(linkFaults('docs/a.md', faulty, nothing)).toEqual([
    'docs/a.md: b.md does not exist',
    'docs/a.md: #a-word is no heading',
  ]);
  expect(nameFaults('docs/a.md', faulty, ['src'], ['test'], nothing)).toEqual([
    'docs/a.md: src/gone.ts does not exist',
    'docs/a.md: npm run gone is no script',
  ]);
  const words = new Map([
    ['', ['get', 'status', 'cluster', '--help']],
    [' get', ['--allow-stale']],
    [' status', []],
    [' cluster', ['plan']],
    [' cluster plan', ['--leave']],
  ]);
  expect(commandFaults('a.md', faulty, words)).toEqual([
    'a.md: causeway cluster gone --yes: no option --yes',
    'a.md: causeway of old: no such command',
    'a.md: causeway get k --gone: no option --gone',
  ]);
});
