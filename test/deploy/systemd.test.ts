/** The systemd unit and its settings file, checked against the program. */
import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { skipWithout } from '../support/skipped.ts';
import { configOf, textOf, wordsNotKnown } from './deploy-files.ts';

/** Sections with their settings; a repeated setting has all its values. */
function unitOf(text: string): Record<string, Record<string, string[]>> {
  const sections: Record<string, Record<string, string[]>> = {};
  let section: Record<string, string[]> = {};
  for (const line of text.split('\n')) {
    const [, name] = /^\[(\w+)\]$/.exec(line) ?? [];
    if (name !== undefined) section = sections[name] = {};
    const [, key, value] = /^(\w+)=(.*)$/.exec(line) ?? [];
    if (key !== undefined) (section[key] ??= []).push(value!);
    else if (name === undefined && line !== '' && !line.startsWith('#'))
      throw new Error(`not a unit: ${line}`);
  }
  return sections;
}

function environmentOf(text: string): Record<string, string> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return Object.fromEntries(
    lines.map((line) => {
      const equals = line.indexOf('=');
      return [line.slice(0, equals), line.slice(equals + 1)];
    }),
  );
}

const { Service: service, Unit: unit, Install: install } = unitOf(textOf('deploy/systemd/causeway.service'));
const config = configOf(environmentOf(textOf('deploy/systemd/causeway.env')));

test('the settings are a whole configuration: a founder of three, with a place of its own', () => {
  const own = config.cluster.members.find(({ name }) => name === config.node.name)!;
  expect(own.address).toBe(config.node.address);
  expect(own.address).toBe(`${config.grpc.host}:${config.grpc.port}`);
  expect(config.cluster.members).toHaveLength(3);
});

test('the unit starts the command as a user without rights, with its store in the directory that it may write', () => {
  expect(Object.keys(unit!)).toContain('Description');
  const [command] = service!['ExecStart']!;
  const [, name, ...words] = command!.split(' ');
  expect(Object.keys((JSON.parse(textOf('package.json')) as { bin: object }).bin)).toContain(name);
  expect(wordsNotKnown(words)).toEqual([]);
  expect(service).toMatchObject({ User: ['causeway'], NoNewPrivileges: ['yes'], ProtectSystem: ['strict'] });
  expect(config.node.dataDir.startsWith(`/var/lib/${service!['StateDirectory']![0]!}/`)).toBe(true);
  expect(install).toEqual({ WantedBy: ['multi-user.target'] });
});

test('it has longer to end than it takes, and is started again only where it failed', () => {
  expect(Number(service!['TimeoutStopSec']![0]) * 1_000).toBeGreaterThan(config.shutdown.graceMs);
  expect(service!['Restart']).toEqual(['on-failure']);
  // Restarted without limit.
  expect(unit!['StartLimitIntervalSec']).toEqual(['0']);
});

test('systemd finds no fault in it', (context) => {
  const path = 'deploy/systemd/causeway.service';
  const { status, stderr, error } = spawnSync('systemd-analyze', ['verify', '--man=no', path], {
    encoding: 'utf8',
  });
  if (error !== undefined) return skipWithout('systemd-analyze', context);
  // Faults of the machine, not of the unit: it has no such user, or no program of that name yet.
  const faults = stderr
    .split('\n')
    .filter((line) => line.includes('causeway.service:') && !/User|not executable/.test(line));
  expect({ status: faults.length === 0 ? 0 : status, faults }).toEqual({ status: 0, faults: [] });
});
