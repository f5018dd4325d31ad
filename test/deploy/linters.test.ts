/** What the usual linters say about YAML and shell files, if they are installed. */
import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { repositoryRoot as root } from '../support/root.ts';
import { skipWithout } from '../support/skipped.ts';
import { exists } from './deploy-files.ts';

function faultsBy(program: string, args: readonly string[]): string | null {
  const { error, status, stdout, stderr } = spawnSync(program, args, { cwd: root, encoding: 'utf8' });
  if (error !== undefined) return null;
  return status === 0 ? '' : stdout + stderr;
}

test('yamllint: Compose, manifests, settings of what watches, workflows', (context) => {
  const places = ['compose.yaml', 'deploy', '.github'].filter(exists);
  const faults = faultsBy('yamllint', ['--strict', '--config-file', '.yamllint.yaml', ...places]);
  if (faults === null) return skipWithout('yamllint', context);
  expect(faults).toBe('');
});

test('shellcheck: every script of the shell', (context) => {
  const faults = faultsBy('shellcheck', ['.ci/run']);
  if (faults === null) return skipWithout('shellcheck', context);
  expect(faults).toBe('');
});
