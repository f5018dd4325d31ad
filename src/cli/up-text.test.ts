/** The texts of `causeway up`. */
import { expect, test } from 'vitest';
import type { NodeView } from '../supervisor/node-probe.ts';
import { openScreen } from './up-screen.ts';
import { changeLines, commandOf, eventLine, readyText, statusLines } from './up-text.ts';
import { faultOfUrls, legacyTemplate } from './up-run.ts';

const view: NodeView = {
  name: 'node-1',
  answers: true,
  phase: 'serving',
  epoch: 3,
  leaseHeld: true,
  membersAlive: 3,
  membersKnown: 3,
  keysHeld: 1_234_567,
  reads: 1000,
  writes: 100,
  failures: 0,
  record: 'up',
  legacy: 'up',
  legacyCalls: 12,
};

test('the live status: rates since the last look, and no line wider than the terminal', () => {
  const lines = statusLines([{ ...view, reads: 123_456_789 }], [view], 2, 80);
  expect(lines[0]).toContain('61,727,895 reads/s');
  expect(lines[1]).toContain('PostgreSQL up, legacy up, 12 legacy calls');
  for (const line of lines) expect(line.length).toBeLessThan(80);
});

test('usual figures: whole lines in 80 columns', () => {
  const later = { ...view, phase: 'unreachable', reads: 98_999, writes: 9_999 };
  expect(statusLines([later], [{ ...view, reads: 0, writes: 0 }], 1, 80)[0]).toMatch(/9,999 writes\/s$/);
});

test('a node that was started again: its counters begin at zero, and the rate is not negative', () => {
  expect(statusLines([{ ...view, reads: 5 }], [view], 1, 80)[0]).toContain(' 0 reads/s');
});

test('counters alone: no news; a lost lease or a node that is silent: one line', () => {
  expect(changeLines([{ ...view, reads: 2000, keysHeld: 1 }], [view])).toEqual([]);
  expect(changeLines([{ ...view, leaseHeld: false }], [view])).toEqual([
    'node-1: serving, holds no lease, epoch 3, 3/3 alive, PostgreSQL up, legacy up',
  ]);
  expect(changeLines([{ ...view, answers: false }], [view])).toEqual(['node-1: does not answer']);
});

test('a database URL with a password: shown without it', () => {
  const nodes = [{ name: 'node-1', grpcPort: 50_051, httpPort: 8081, respPort: 7001 }];
  const text = readyText(
    {
      nodes,
      databaseUrl: 'postgresql://me:secret@db/x?sslpassword=secret',
      legacyUrl: undefined,
      logs: '/l',
    },
    'npx causeway',
  );
  expect(text.join('\n')).not.toContain('secret');
});

test('commands worth trying: they reach this cluster, also on other ports', () => {
  const endpoints = { databaseUrl: 'none', legacyUrl: undefined, logs: '/l' };
  const text = (grpcPort: number) =>
    readyText(
      { ...endpoints, nodes: [{ name: 'node-1', grpcPort, httpPort: 9081, respPort: 7001 }] },
      'npx causeway',
    ).join('\n');
  expect(text(50_051)).toContain('npx causeway set greeting hello\n');
  expect(text(50_051)).not.toContain('CAUSEWAY_NODES');
  expect(text(6_001)).toContain(
    '  export CAUSEWAY_NODES=127.0.0.1:6001\n  npx causeway set greeting hello\n',
  );
  expect(text(6_001)).toContain('curl -i http://127.0.0.1:9081/readyz');
  expect(text(6_001)).not.toContain('psql');
});

test.each([
  ['a checkout', '/w/causeway/dist/causeway.js', '/w/causeway', 'npx causeway'],
  ['installed in a project', '/w/app/node_modules/causeway/dist/causeway.js', '/w/app', 'npx causeway'],
  [
    'fetched by npx for one run, from the home directory',
    '/home/me/.npm/_npx/65c9/node_modules/causeway/dist/causeway.js',
    '/home/me',
    'node /home/me/.npm/_npx/65c9/node_modules/causeway/dist/causeway.js',
  ],
  ['from elsewhere', '/w/causeway/dist/causeway.js', '/tmp', 'node /w/causeway/dist/causeway.js'],
  ['a path with spaces', "/w/it's a/dist/causeway.js", '/tmp', "node '/w/it'\\''s a/dist/causeway.js'"],
])('%s: the command worth trying is one that works there', (_how, entry, directory, command) => {
  expect(commandOf(entry, directory)).toBe(command);
  const nodes = [{ name: 'node-1', grpcPort: 50_051, httpPort: 8081, respPort: 7001 }];
  const endpoints = { nodes, databaseUrl: 'none', legacyUrl: undefined, logs: '/l' };
  expect(readyText(endpoints, command)).toContain(`  ${command} set greeting hello`);
});

test('five-digit ports, three nodes: where they are, and how to reach them, fits 80 columns', () => {
  const nodes = [1, 2, 3].map((at) => ({
    ...{ name: `node-${at}`, grpcPort: 42_050 + at, httpPort: 42_080 + at, respPort: 42_000 + at },
  }));
  const text = readyText({ nodes, databaseUrl: 'none', legacyUrl: undefined, logs: '/l' }, 'npx causeway');
  for (const line of text) expect(line.length).toBeLessThanOrEqual(80);
  expect(text).toContain('  node-2    gRPC 127.0.0.1:42052  Redis 127.0.0.1:42002  http://127.0.0.1:42082/');
  expect(text).toContain('  export CAUSEWAY_NODES=127.0.0.1:42051,127.0.0.1:42052,127.0.0.1:42053');
});

test('a child that is asked to stop: no line; one that crashed: the reason and the pause', () => {
  const ended = { kind: 'ended', name: 'node-2', reason: 'signal SIGKILL' } as const;
  expect(eventLine({ ...ended, restartInMs: undefined }, true)).toBeUndefined();
  expect(eventLine({ ...ended, restartInMs: 250 }, true)).toBe(
    'node-2 ended (signal SIGKILL), starts again in 0.25 s',
  );
});

test('a terminal: the status is redrawn in place, and other lines go above it', () => {
  let written = '';
  const output = { isTTY: true, columns: 80, write: (text: string) => (written += text) };
  const screen = openScreen(output, output, 'npx causeway', false);
  screen.status([view], 1);
  screen.status([view], 1);
  screen.event({ kind: 'progress', text: 'news' });
  expect(written.split('\x1b[2A\x1b[J')).toHaveLength(3);
  expect(written.endsWith('\x1b[2A\x1b[Jnews\n')).toBe(true);
});

test('a terminal that says it has no columns: whole lines all the same', () => {
  let written = '';
  const output = { isTTY: true, columns: 0, write: (text: string) => (written += text) };
  openScreen(output, output, 'npx causeway', false).status([view], 1);
  expect(written).toContain('Ctrl-C stops everything.');
});

test('--json: one object a line, and a status only when something changed', () => {
  let written = '';
  const output = { write: (text: string) => (written += text) };
  const screen = openScreen(output, output, 'npx causeway', true);
  screen.status([view], 1);
  screen.status([{ ...view, reads: 9 }], 1);
  screen.failed('no');
  const events = written
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { event: string }).event);
  expect(events).toEqual(['status', 'error']);
});

test('LEGACY_URL: a base gets the path, a template and none are taken as they are', () => {
  expect(legacyTemplate(undefined)).toBeUndefined();
  expect(legacyTemplate('none')).toBe('none');
  expect(legacyTemplate('http://h:1/')).toBe('http://h:1/legacy/data/{key}');
  expect(legacyTemplate('http://h/x?k={key}')).toBe('http://h/x?k={key}');
});

test('DATABASE_URL and LEGACY_URL that are none: told by these names; what can be used, and none at all, is taken', () => {
  expect(faultOfUrls({ databaseUrl: 'db:5432/x' })).toMatch(/^DATABASE_URL must begin with postgres:/);
  expect(faultOfUrls({ legacyUrl: 'host:8001' })).toMatch(/^LEGACY_URL must begin with http:/);
  expect(faultOfUrls({ databaseUrl: 'postgres://db/x', legacyUrl: 'https://h/x?k={key}' })).toBeNull();
  expect(faultOfUrls({ databaseUrl: 'none', legacyUrl: 'none' })).toBeNull();
  expect(faultOfUrls({ databaseUrl: '', legacyUrl: undefined })).toBeNull();
});
