/**
 * `causeway config`: every fault with its path, every value with its origin, no secrets, and a JSON schema that agrees.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { keptIo } from '../../test/support/command-io.ts';
import type { Ran } from '../../test/support/command-io.ts';
import { SETTING_KINDS } from '../config/layers.ts';
import { configSchema } from '../config/schema.ts';
import { configCommand } from './config.ts';

const CANARY = 'canary-7f3a';
let folder: string;
let file: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'causeway-config-'));
  file = join(folder, 'node.yaml');
});
afterAll(() => rmSync(folder, { recursive: true }));

const YAML = `
cluster:
  members:
    - { name: a, address: "h:1" }
    - { name: b, address: "h:2", zone: z1 }
node: { name: a, dataDir: /data }
postgres:
  url: postgres://user:${CANARY}@db/x?sslmode=require&sslpassword=${CANARY}
legacy:
  url: http://old/data/{key}?token=${CANARY}
  headers:
    authorization: Bearer env:TOKEN
    x-key: ${CANARY}
`;

async function run(text: string, words: string[], env: NodeJS.ProcessEnv = {}): Promise<Ran> {
  writeFileSync(file, text);
  const { io, ran } = keptIo();
  const program = new Command();
  configCommand(program, io, env);
  const isOfFile = words[0] !== 'schema';
  await program.parseAsync(['config', ...words, ...(isOfFile ? ['--config', file] : [])], { from: 'user' });
  return ran;
}

describe('check', () => {
  test('all is well: said so, exit 0, warnings apart', async () => {
    const words = ['check', '--set', 'network.insecure=true', '--set', 'grpc.host=0.0.0.0'];
    const { code, out, err } = await run(`${YAML}\n`, words, { TOKEN: 'x' });
    expect([code, out]).toEqual([0, 'the settings are usable\n']);
    expect(err).toContain('warning: grpc listens on 0.0.0.0:50051');
  });

  test('faults in every layer: each by its path or line, exit 1; as JSON, too', async () => {
    const text = `${YAML}grpc: { prot: 1 }\n`;
    const words = ['check', '--set', 'no.such=1'];
    const env = { CAUSEWAY_HTTP_PORT: '99999', TOKEN: 'x' };
    const { code, out } = await run(text, words, env);
    expect(code).toBe(1);
    expect(out.split('\n').map((line) => line.split(': ')[0])).toEqual(
      expect.arrayContaining(['grpc.prot', 'http.port', 'no.such', '3 faults']),
    );
    const told = JSON.parse((await run(text, [...words, '--json'], env)).out) as {
      faults: { path: string }[];
    };
    expect(told).toMatchObject({ usable: false });
    expect(told.faults.map(({ path }) => path).sort()).toEqual(['grpc.prot', 'http.port', 'no.such']);
  });

  test('a file that cannot be read or is not YAML: that alone, for nobody knows what is missing in it', async () => {
    const { code, out } = await run('a: [', ['check']);
    expect([code, out.split('\n').length]).toEqual([1, 3]);
    expect(out).toMatch(
      /node.yaml, line 1: is not YAML: .* a bracket is not closed \(BAD_INDENT\)\none fault\n$/,
    );
    const json = await run('{ "node": { "name": "a", }', ['check']);
    expect(json.out).toMatch(/node.yaml, line 1: is not YAML: .*a bracket.* is missing \(MISSING_CHAR\)\n/);
    const nested = await run('node:\n  name: a\n   x: 3\n', ['check']);
    expect(nested.out).toMatch(/line 2: is not YAML: a value, and below it .*\none fault\n$/);
    const twice = await run('node: {}\nnode: {}\n', ['check']);
    expect(twice.out).toContain('node.yaml, line 2: is not YAML: a setting stands there twice');
  });

  test('a setting that is not well formed, and others that do not go together: both are told, and nothing that follows from the first', async () => {
    const text = `${YAML}grpc: { host: 0.0.0.0 }\nhttp: { port: 99999, host: 0.0.0.0 }\ngrcp: {}\n`;
    const env = { TOKEN: 'x' };
    const { code, out } = await run(text, ['check', '--set', 'cluster.ownersMin=3'], env);
    expect(code).toBe(1);
    const paths = (all: string): string[] =>
      all
        .split('\n')
        .map((line) => line.split(': ')[0]!)
        .sort();
    expect(paths(out)).toEqual([
      ...['', '5 faults', 'cluster.ownersMin', 'grcp', 'grpc.host', 'http.host', 'http.port'],
    ]);
    // Whether the doors may be open is not known then; everything else is.
    const words = ['check', '--set', 'cluster.ownersMin=3'];
    const inNeed = await run(`${text}network: { insecure: perhaps }\n`, words, env);
    expect(paths(inNeed.out)).toEqual([
      ...['', '4 faults', 'cluster.ownersMin', 'grcp', 'http.port', 'network.insecure'],
    ]);
  });

  test('members, a name or a database that are missing or none: what the others say of each other is told, and of those nothing', async () => {
    const faultsOf = async (text: string, env = {}): Promise<string[]> => {
      const { out } = await run(text, ['check'], env);
      return out
        .split('\n')
        .map((line) => line.split(': ')[0]!)
        .slice(0, -2)
        .sort();
    };
    const twoWays = 'network: { dial: [{ name: a, address: "h:1" }, { name: a, address: "h:2" }] }\n';
    const noNode = 'cluster: { members: [{ name: a, address: "h:1" }], replicas: 1 }\npostgres: none\n';
    expect(await faultsOf(`${noNode}${twoWays}`)).toEqual([
      ...['cluster.ownersMin', 'cluster.ownersMin', 'network.dial', 'node.dataDir', 'node.name'],
    ]);
    const noMembers = `cluster: { members: a, ownersMin: 4 }\nnode: { name: b, dataDir: /d }\n${twoWays}`;
    expect(await faultsOf(noMembers)).toEqual([
      ...['cluster.members', 'cluster.ownersMin', 'network.dial', 'postgres.url'],
    ]);
    const inDoubt =
      'cluster: 7\nnode: { name: b, dataDir: /d }\npostgres: { url: 7 }\nlegacy: { headers: { a: "env:NONE" } }\n';
    expect(await faultsOf(inDoubt)).toEqual([
      ...['cluster', 'legacy.headers.a', 'legacy.url', 'postgres.url'],
    ]);
    expect(await faultsOf(inDoubt, { NONE: 'x' })).not.toContain('legacy.headers.a');
    expect(await faultsOf('- 1\n')).toEqual(
      expect.arrayContaining(['node.name', 'postgres.url']) as string[],
    );
  });

  test('a secret that is named and not there, or empty: a fault by the path of its setting, and never a value', async () => {
    const text = `${YAML}    x-file: Key file:${join(folder, 'none')}\nresp: { port: 1, password: "env:REDIS" }\n`;
    const { code, out, err } = await run(text, ['check'], { REDIS: ' ' });
    expect([code, err]).toEqual([1, '']);
    expect(out.split('\n')).toEqual([
      'legacy.headers.authorization: env:TOKEN is missing or empty',
      `legacy.headers.x-file: file:${join(folder, 'none')} is missing or empty`,
      'resp.password: env:REDIS is missing or empty',
      ...['3 faults', ''],
    ]);
    writeFileSync(join(folder, 'there'), CANARY);
    const well = await run(text.replace('/none', '/there'), ['check'], { REDIS: CANARY, TOKEN: CANARY });
    expect([well.code, well.out]).toEqual([0, 'the settings are usable\n']);
    const noDoor = await run(YAML, ['check', '--set', 'resp.password=env:REDIS'], { TOKEN: 'x' });
    expect(noDoor.code).toBe(0);
  });

  test('a node that joins: what its cluster would tell is not held against it', async () => {
    const { code, err } = await run('node: { name: n, dataDir: /d, join: "h:1" }\npostgres: none\n', [
      'check',
    ]);
    expect(code).toBe(0);
    expect(err).toContain('the cluster at h:1 was not asked');
  });
});

describe('show', () => {
  const originsOf = async (words: string[], env: NodeJS.ProcessEnv): Promise<Record<string, string>> => {
    const { out } = await run(YAML, ['show', ...words], env);
    const rows = out
      .split('\n')
      .slice(1)
      .filter((line) => line !== '');
    return Object.fromEntries(rows.map((row) => row.split(/ {2,}/, 2) as [string, string]));
  };

  test('one setting from each layer, and what wins over what', async () => {
    const words = ['--name', 'b', '--set', 'grpc.port=7', '--set', 'cache.bytes=9'];
    const env = {
      ...{ CAUSEWAY_GRPC_PORT: '8', CAUSEWAY_HTTP_PORT: '9', CAUSEWAY_CACHE_BYTES: '7' },
      CAUSEWAY_POSTGRES_STATEMENT_TIMEOUT_MS: '100',
    };
    expect(await originsOf(words, env)).toMatchObject({
      'cluster.name': 'default',
      'cluster.members': 'node.yaml:4',
      'node.name': '--name',
      'node.dataDir': 'node.yaml:6',
      'grpc.port': '--set',
      'cache.bytes': '--set',
      'http.port': 'CAUSEWAY_HTTP_PORT',
      'postgres.url': 'node.yaml:8',
      'postgres.statementTimeoutMs': 'CAUSEWAY_POSTGRES_STATEMENT_TIMEOUT_MS',
      'postgres.connectTimeoutMs': 'default',
      'legacy.headers.x-key': 'node.yaml:13',
    });
  });

  test('variables of other tools: named; one of our own wins over them', async () => {
    const both = { DATABASE_URL: 'postgres://db/y', LEGACY_URL: 'none' };
    expect(await originsOf([], both)).toMatchObject({ 'postgres.url': 'DATABASE_URL', legacy: 'LEGACY_URL' });
    const own = { ...both, CAUSEWAY_POSTGRES_URL: 'postgres://db/z' };
    expect(await originsOf([], own)).toMatchObject({ 'postgres.url': 'CAUSEWAY_POSTGRES_URL' });
  });

  test('--given: defaults are left out', async () => {
    expect(Object.values(await originsOf(['--given'], {}))).not.toContain('default');
  });

  test('every setting is there, and no secret, as text and as JSON', async () => {
    const env = { CAUSEWAY_RESP_PASSWORD: 'env:REDIS', REDIS: CANARY };
    const text = await run(YAML, ['show'], env);
    const json = await run(YAML, ['show', '--json'], env);
    for (const { code, out, err } of [text, json]) {
      expect(code).toBe(0);
      expect(out + err).not.toContain(CANARY);
    }
    expect(text.out).toContain('Bearer env:TOKEN');
    expect(text.out).toContain('postgres://user:***@db/x?sslmode=require&sslpassword=***');
    expect(text.out).toContain('http://old/data/{key}?token=***');
    const shown = JSON.parse(json.out) as { settings: { path: string }[] };
    const paths = shown.settings.map(({ path }) => path.replace(/^(legacy\.headers)\..*/, '$1'));
    const missing = Object.keys(SETTING_KINDS).filter((path) => !paths.includes(path));
    expect(missing).toEqual(['postgres', 'legacy']);
  });
});

describe('schema', () => {
  const schema = z.fromJSONSchema(configSchema());
  const accepts = (text: string): boolean => schema.safeParse(parse(text)).success;

  test('what is usable is accepted, also where another layer gives the rest', () => {
    for (const text of [
      YAML,
      'postgres: none\nlegacy: none\n',
      'grpc: { port: 1 }\n',
      'log: { level: warn }\n',
    ])
      expect(accepts(text)).toBe(true);
  });

  test.each([
    'grpc: { prot: 1 }',
    'grpc: { port: 70000 }',
    'grcp: {}',
    'postgres: nothing',
    'cluster: { members: [{ name: a }] }',
    'log: { level: loud }',
  ])('%s: refused', (text) => {
    expect(accepts(`${text}\n`)).toBe(false);
  });

  test('the command prints it; every setting names its variable', async () => {
    const { code, out } = await run('', ['schema']);
    expect(code).toBe(0);
    const printed = JSON.parse(out) as object;
    expect(printed).toEqual(JSON.parse(JSON.stringify(configSchema())));
    expect(out).toContain('Also CAUSEWAY_LEGACY_TRUSTED_ESCAPES; see legacy.trustedEscapes');
  });
});
