/** The command `causeway` as npm links it: it exists before anything is built, and runs the built program afterwards. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { repositoryRoot } from './support/root.ts';
import { temporaryDirectory } from './support/supervisor-program.ts';

const manifest = JSON.parse(readFileSync(join(repositoryRoot, 'package.json'), 'utf8')) as {
  bin: { causeway: string };
  files: string[];
  engines: { node: string };
};
const bin = manifest.bin.causeway;

let checkout: ReturnType<typeof temporaryDirectory>;
beforeEach(() => {
  checkout = temporaryDirectory();
  const copy = join(checkout.path, bin);
  mkdirSync(dirname(copy), { recursive: true });
  copyFileSync(join(repositoryRoot, bin), copy);
  needsNode(manifest.engines.node);
});
afterEach(() => checkout.remove());

function needsNode(node: string): void {
  writeFileSync(join(checkout.path, 'package.json'), JSON.stringify({ type: 'module', engines: { node } }));
}

const run = (): { status: number | null; stdout: string; stderr: string } =>
  spawnSync(process.execPath, [join(checkout.path, bin), 'get', 'a'], { encoding: 'utf8' });

test('before a build: the file that npm links to is there and says what to do', () => {
  expect(statSync(join(repositoryRoot, bin)).mode & 0o111).toBe(0o111);
  expect(manifest.files).toContain(bin);
  const { status, stderr } = run();
  expect(status).toBe(3);
  expect(stderr).toContain('not built yet: `npm start`');
});

test('after a build: it becomes the built program, with its arguments', () => {
  mkdirSync(join(checkout.path, 'dist'));
  writeFileSync(join(checkout.path, 'dist/causeway.js'), `console.log(process.argv.slice(1).join(' '))`);
  expect(run()).toMatchObject({ status: 0, stdout: `${join(checkout.path, 'dist/causeway.js')} get a\n` });
});

test('in a Node.js that is too old: it says which is needed, and nothing is run', () => {
  needsNode('>=99.1.0');
  mkdirSync(join(checkout.path, 'dist'));
  writeFileSync(join(checkout.path, 'dist/causeway.js'), 'a syntax of later years');
  const { status, stdout, stderr } = run();
  expect([status, stdout]).toEqual([3, '']);
  expect(stderr).toBe(
    `causeway: Node.js >=99.1.0 is needed, this is ${process.versions.node}: install a later one\n`,
  );
});
