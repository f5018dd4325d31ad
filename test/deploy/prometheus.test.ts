/** The alerts and the scrape example as Prometheus' own tool reads them, where it is installed. */
import { spawnSync } from 'node:child_process';
import { expect, test, type TestContext } from 'vitest';
import { skipWithout } from '../support/skipped.ts';
import { repositoryRoot } from '../support/root.ts';

function promtool(context: TestContext, ...words: string[]): void {
  const { status, stdout, stderr, error } = spawnSync('promtool', words, {
    cwd: repositoryRoot,
    encoding: 'utf8',
    timeout: 30_000,
  });
  if (error !== undefined) skipWithout('promtool', context);
  expect(status, `${stdout}\n${stderr}`).toBe(0);
}

test('promtool reads the scrape example and the alerts', (context) => {
  promtool(context, 'check', 'config', '--syntax-only', 'deploy/prometheus/prometheus.yml');
  promtool(context, 'check', 'rules', 'deploy/prometheus/rules/causeway.yml');
});

test('the alerts over time: a burst, failures that last, an event counted once, a node without a lease', (context) => {
  promtool(context, 'test', 'rules', 'test/deploy/alerts.test.yml');
});
