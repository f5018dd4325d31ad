/** Settings: which layer wins, and that every fault names the path of its setting and never its value. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SETTING_KINDS, variableOf } from './layers.ts';
import { ConfigError, loadConfig, settingsThatMustAgree, joinOf } from './config.ts';
import type { ConfigSources } from './config.ts';

const MEMBERS = 'a=127.0.0.1:50051,b=127.0.0.1:50052,c=127.0.0.1:50053';
const SECRET = 'hunter2';
/** The minimum that a node must be told. */
const LEAST = {
  'cluster.members': MEMBERS,
  'node.name': 'a',
  'node.dataDir': '/data/a',
  'postgres.url': `postgres://user:${SECRET}@db/cache_db`,
};

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'causeway-config-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function fileWith(text: string): string {
  const path = join(folder, 'node.yaml');
  writeFileSync(path, text);
  return path;
}

function faultsOf(sources: ConfigSources): readonly string[] {
  try {
    loadConfig(sources);
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
  return [];
}

const withFlags = (flags: Record<string, string>): ConfigSources => ({ flags: { ...LEAST, ...flags } });

describe('layers', () => {
  test('the least that must be said: everything else has a default', () => {
    const { config, warnings } = loadConfig({ flags: LEAST });
    expect(warnings).toEqual([]);
    expect(config).toMatchObject({
      cluster: { name: 'causeway', replicas: 3, ownersMin: 2 },
      grpc: { host: '127.0.0.1', port: 50_051 },
      http: { host: '127.0.0.1', port: 8080 },
      legacy: null,
      routes: [],
      network: { insecure: false },
      log: { level: 'info' },
    });
    expect(config.cluster.members[1]).toEqual({ name: 'b', address: '127.0.0.1:50052', zone: '', host: '' });
  });

  test('one setting in every layer: flags before environment before file before default', () => {
    const file = fileWith('grpc: { port: 1001 }\nhttp: { port: 1002 }\ncache: { bytes: 1003 }\n');
    const env = { CAUSEWAY_GRPC_PORT: '2001', CAUSEWAY_HTTP_PORT: '2002' };
    const { config } = loadConfig({ file, env, flags: { ...LEAST, 'grpc.port': '3001' } });
    expect([config.grpc.port, config.http.port, config.cache.bytes]).toEqual([3001, 2002, 1003]);
  });

  test('a whole file, as YAML or JSON: read alike', () => {
    const settings = {
      cluster: {
        name: 'shop',
        members: [{ name: 'a', address: 'a.local:50051', zone: 'z1', host: 'h1' }],
        ownersMin: 1,
      },
      node: { name: 'a', dataDir: '/data' },
      postgres: { url: 'postgresql://db/cache_db', statementTimeoutMs: 900 },
      legacy: {
        url: 'http://old:8001/data/{key}',
        headers: { authorization: 'Bearer env:TOKEN' },
        echo: '/key',
        trustedEscapes: '/%',
      },
      routes: [{ prefix: 'session:', writeThrough: false }],
    };
    const { config } = loadConfig({ file: fileWith(JSON.stringify(settings)) });
    expect(config).toMatchObject(settings);
    expect(config.legacy?.value).toBe('/value');
    const yaml = 'cluster: { name: shop, ownersMin: 1, members: [{ name: a, address: "a.local:50051" }] }\n';
    const rest = 'node: { name: a, dataDir: /data }\npostgres: none\n';
    const loaded = loadConfig({ file: fileWith(yaml + rest) });
    expect(loaded.config.cluster.name).toBe('shop');
    expect(loaded.config.postgres).toBeNull();
    expect(loaded.warnings.join()).toContain('no PostgreSQL');
  });

  test('a URL of PostgreSQL that its client cannot read is refused; one of a socket is taken', () => {
    const faultsFor = (url: string): readonly string[] =>
      faultsOf({ flags: { ...LEAST, 'postgres.url': url } });
    for (const url of [
      'postgres://u@h:port/db',
      'postgres://u:a/b@h/db',
      'postgres://u@h:99999/db',
      'postgres://u:%E9@h/db',
    ]) {
      expect(faultsFor(url).join()).toContain('postgres.url: is no URL');
      expect(faultsFor(url).join()).not.toContain('u@h');
    }
    for (const url of [
      'postgres://u@h/db',
      'postgres://u@/db?host=/tmp',
      'postgresql:///db?host=/tmp',
      'postgres://u:a%sb@h/db',
      'postgres://u:%C3%A9@h/db',
    ])
      expect(faultsFor(url)).toEqual([]);
  });

  test('members of a file as a variable has them: told how a file does', () => {
    const rest = 'node: { name: a, dataDir: /data }\npostgres: none\n';
    for (const members of ['["a=h:1"]', '"a=h:1"']) {
      const file = fileWith(`cluster: { members: ${members} }\n${rest}`);
      expect(faultsOf({ file }).join()).toContain('{ name: node-1, address: 10.0.0.1:50051 }');
    }
  });

  test('ways to members as a text: by name; two for one member are refused', () => {
    const { config } = loadConfig({
      flags: { ...LEAST, 'network.dial': 'b=127.0.0.1:7002,c=127.0.0.1:7003' },
    });
    expect(config.network.dial[1]).toEqual({ name: 'c', address: '127.0.0.1:7003' });
    const twice = { ...LEAST, 'network.dial': 'b=127.0.0.1:7002,b=127.0.0.1:7003' };
    expect(() => loadConfig({ flags: twice })).toThrow('network.dial: two are named b');
  });

  test('DATABASE_URL and LEGACY_URL: taken, a base URL completed, `none` believed, empty ignored', () => {
    const flags = { ...LEAST } as Partial<typeof LEAST>;
    delete flags['postgres.url'];
    const load = (env: Record<string, string>) => loadConfig({ flags, env }).config;
    const both = load({ DATABASE_URL: 'postgres://db/x', LEGACY_URL: 'http://old:8001/' });
    expect(both.postgres?.url).toBe('postgres://db/x');
    expect(both.legacy?.url).toBe('http://old:8001/legacy/data/{key}');
    const none = load({ DATABASE_URL: 'none', LEGACY_URL: 'none' });
    expect([none.postgres, none.legacy]).toEqual([null, null]);
    const ofCluster = [both, none].map((config) => settingsThatMustAgree(config)['postgres']);
    expect(ofCluster).toEqual(['used', 'none']);
    const env = { DATABASE_URL: '', LEGACY_URL: '', CAUSEWAY_GRPC_PORT: '' };
    const { legacy, grpc } = loadConfig({ flags: LEAST, env }).config;
    expect([legacy, grpc.port]).toEqual([null, 50_051]);
  });

  test('variables that an orchestrator sets for a service of our name: ignored; a misspelt one: warned of', () => {
    const env = {
      CAUSEWAY_SERVICE_HOST: '10.0.0.1',
      CAUSEWAY_PORT: 'tcp://10.0.0.1:50051',
      CAUSEWAY_GRPC_PORT: 'tcp://10.0.0.1:50051',
      CAUSEWAY_PORT_50051_TCP_ADDR: '10.0.0.1',
      CAUSEWAY_GRPC_PROT: '5',
    };
    const { config, warnings } = loadConfig({ flags: LEAST, env });
    expect(config.grpc.port).toBe(50_051);
    const told = 'CAUSEWAY_GRPC_PROT is no setting and is ignored; did you mean CAUSEWAY_GRPC_PORT?';
    expect(warnings).toEqual([`the environment variable ${told}`]);
  });

  test('every setting: its own variable, and a row in docs/CONFIGURATION.md; no row without a setting', () => {
    const document = readFileSync(new URL('../../docs/CONFIGURATION.md', import.meta.url), 'utf8');
    const rows = [...document.matchAll(/^\| `([\w.]+)` \| `(\w+)` \|/gm)].map((row) => row.slice(1, 3));
    const settings = Object.keys(SETTING_KINDS).map((path) => [path, variableOf(path)]);
    expect(new Set(settings.map(([, variable]) => variable)).size).toBe(settings.length);
    expect(Object.fromEntries(rows)).toEqual(Object.fromEntries(settings));
  });
});

describe('faults', () => {
  test('many at once: each is named with its path, and none shows a value', () => {
    const faults = faultsOf(
      withFlags({
        'grpc.port': 'abc',
        'http.port': '70000',
        'cluster.members': `a,b=${SECRET}`,
        'postgres.url': `mysql://${SECRET}`,
        'legacy.url': `http://old/${SECRET}`,
        'legacy.value': SECRET,
        'log.level': 'loud',
        'network.insecure': 'perhaps',
        'no.such': SECRET,
      }),
    );
    const paths = faults.map((fault) => fault.split(': ')[0]);
    const settings = 'grpc.port http.port cluster.members.0.address cluster.members.1.address postgres.url';
    const others = 'legacy.url legacy.value log.level network.insecure no.such';
    for (const path of `${settings} ${others}`.split(' ')) expect(paths).toContain(path);
    expect(faults.join()).not.toContain(SECRET);
  });

  test('the kind of database: PostgreSQL itself if nothing is said; Citus is refused with its reason, others by name', () => {
    const flags = { ...LEAST, 'postgres.url': 'postgres://db/x' };
    const told = (more: Record<string, string>) => loadConfig({ flags: { ...flags, ...more } }).config;
    const kinds = [{}, { 'postgres.compat': 'cockroach' }, { 'postgres.compat': 'yugabyte' }].map(told);
    expect(kinds.map(({ postgres }) => postgres!.compat)).toEqual(['none', 'cockroach', 'yugabyte']);
    const faults = ['citus', 'mysql'].flatMap((compat) =>
      faultsOf({ flags: { ...flags, 'postgres.compat': compat } }),
    );
    expect(faults[0]).toMatch(/^postgres.compat: citus is refused: .*no common snapshot/);
    expect(faults[1]).toBe('postgres.compat: must be one of none, cockroach, yugabyte');
  });

  test.each([
    ['grpc.port', '-1', 'Too small: expected number to be >=0'],
    ['node.weight', '-0.5', 'Too small: expected number to be >=0'],
    ['cache.bytes', '-9', 'Too small: expected number to be >=0'],
    ['cluster.replicas', '10', 'Too big'],
    ['log.slowMs', '0.5', 'expected int'],
  ])(
    'a number out of its bounds, %s = %s: told is the bound, by a flag as by a variable',
    (path, text, words) => {
      const flags = faultsOf(withFlags({ [path]: text }));
      expect(flags).toEqual([expect.stringContaining(`${path}: `)]);
      expect(flags[0]).toContain(words);
      expect(faultsOf({ flags: LEAST, env: { [variableOf(path)]: text } })).toEqual(flags);
    },
  );

  test('a share, by a flag or a variable: taken', () => {
    const { config } = loadConfig({
      flags: { ...LEAST, 'disk.reserveShareMax': '0.05' },
      env: { CAUSEWAY_NODE_WEIGHT: '1.5' },
    });
    expect([config.disk.reserveShareMax, config.node.weight]).toEqual([0.05, 1.5]);
  });

  test('nothing at all: what is missing is listed', () => {
    const faults = faultsOf({});
    expect(faults.map((fault) => fault.split(':')[0])).toEqual([
      'cluster.members',
      'node.name',
      'node.dataDir',
      'postgres.url',
    ]);
    expect(faults[3]).toContain('postgres: none');
    // A name without a value does not mean `none`.
    expect(faultsOf({ file: fileWith('postgres:\nlegacy:\n') })).toEqual(faults);
  });

  test('unknown settings in a file, at the top and inside a section: refused by name', () => {
    const file = fileWith('grcp: {}\ngrpc: { prot: 5 }\n');
    expect(faultsOf({ file, flags: LEAST })).toEqual([
      'grpc.prot: there is no such setting; did you mean grpc.port?',
      'grcp: there is no such setting; did you mean grpc?',
    ]);
  });

  test('a file that is not there, broken, or no mapping: said with its name and line, without its text', () => {
    expect(faultsOf({ file: join(folder, 'none.yaml'), flags: LEAST })[0]).toContain('ENOENT');
    const broken = faultsOf({ file: fileWith(`a: 1\nb: [${SECRET}\nc: }`), flags: LEAST }).join();
    expect(broken).toContain('node.yaml, line 3');
    expect(broken).not.toContain(SECRET);
    expect(faultsOf({ file: fileWith('- 1\n'), flags: LEAST })[0]).toContain('must hold settings');
  });

  test.each([
    ['node.name', 'x', 'none of cluster.members'],
    ['cluster.members', 'a=h:1,a=h:2', 'two are named a'],
    ['cluster.members', 'a=h:1,b=h:1', 'two have the address h:1'],
    ['cluster.members', 'a=h:1', 'no write could succeed'],
    ['cluster.replicas', '1', 'more than cluster.replicas'],
    ['routes', '[{"prefix":"a"},{"prefix":"a"}]', 'two have the prefix "a"'],
    ['limits.valueBytesMax', '99999999', 'limits.valueBytesMax'],
  ])('%s = %s: refused', (path, text, word) => {
    expect(faultsOf(withFlags({ [path]: text })).join()).toContain(word);
  });

  test.each(['0.0.0.0', '::', '192.168.1.4', 'node-1.example'])(
    'listening on %s: refused unless said to be insecure, then warned of',
    (host) => {
      const outside = { 'grpc.host': host, 'http.host': host };
      expect(faultsOf(withFlags(outside)).map((fault) => fault.split(': ')[0])).toEqual([
        'grpc.host',
        'http.host',
      ]);
      const { warnings } = loadConfig(withFlags({ ...outside, 'network.insecure': 'true' }));
      expect(warnings).toHaveLength(2);
    },
  );

  test.each(['127.0.0.1', '127.8.8.8', '::1', 'localhost'])(
    'listening on %s: needs no permission',
    (host) => {
      expect(faultsOf(withFlags({ 'grpc.host': host }))).toEqual([]);
    },
  );
});

describe('what members must have alike', () => {
  const agreed = (flags: Record<string, string>) =>
    settingsThatMustAgree(loadConfig(withFlags(flags)).config);

  test('members and routes in another order, another node and its ports: the same', () => {
    const routes = ['{"prefix":"a"}', '{"prefix":"b","writeThrough":false}'];
    const one = agreed({ routes: `[${routes.join()}]` });
    const other = agreed({
      routes: `[${routes.reverse().join()}]`,
      'cluster.members': MEMBERS.split(',').reverse().join(),
      'node.name': 'b',
      'grpc.port': '50052',
    });
    expect(other).toEqual(one);
  });

  test.each([
    ['cluster.name', 'other'],
    ['cluster.replicas', '2'],
    ['cluster.ownersMin', '1'],
    ['limits.valueBytesMax', '1000'],
    ['routes', '[{"prefix":"a"}]'],
    ['legacy.url', `http://old/${SECRET}/{key}`],
  ])('another %s: differs, and tells no secret', (path, text) => {
    const changed = agreed({ [path]: text });
    expect(changed).not.toEqual(agreed({}));
    expect(JSON.stringify(changed)).not.toContain(SECRET);
  });
});

describe('a node that joins', () => {
  const told = {
    layer: { cluster: { name: 'shop', replicas: 3, ownersMin: 2 }, limits: { valueBytesMax: 1_000 } },
    members: [
      { name: 'a', address: '10.0.0.1:50051' },
      { name: 'b', address: '10.0.0.2:50051' },
    ],
  };
  const flags = { 'node.name': 'n', 'node.dataDir': '/d', 'node.join': '10.0.0.1:50051', postgres: 'none' };

  test('what it was told stands below its own settings, and it is a member beside those there are', () => {
    const { config } = loadConfig({ flags: { ...flags, 'grpc.port': '50061' }, told });
    expect(config.cluster).toMatchObject({ name: 'shop', replicas: 3, ownersMin: 2 });
    expect(config.limits.valueBytesMax).toBe(1_000);
    expect(config.cluster.members.map(({ name, address }) => `${name}=${address}`)).toEqual([
      'a=10.0.0.1:50051',
      'b=10.0.0.2:50051',
      'n=127.0.0.1:50061',
    ]);
  });

  test('members in its file are those of the founding: the cluster knows better; its own address may be named', () => {
    const own = {
      'cluster.members': 'n=1.1.1.1:1,z=1.1.1.1:2',
      'node.address': '10.0.0.9:50051',
      'node.zone': 'c',
    };
    const { config } = loadConfig({ flags: { ...flags, ...own }, told });
    expect(config.cluster.members.at(-1)).toEqual({
      name: 'n',
      address: '10.0.0.9:50051',
      zone: 'c',
      host: '',
    });
    expect(config.cluster.members).toHaveLength(3);
  });

  test('what is written of a founder stays true when it comes back, but for what it says itself', () => {
    const written = [{ name: 'n', address: '10.0.0.9:1', zone: 'b', host: 'machine-1' }];
    const given = { ...flags, 'cluster.members': JSON.stringify(written) };
    const { config } = loadConfig({ flags: given, told });
    expect(config.cluster.members.at(-1)).toEqual(written[0]);
    const moved = loadConfig({ flags: { ...given, 'node.host': 'machine-2' }, told });
    expect(moved.config.cluster.members.at(-1)).toEqual({ ...written[0], host: 'machine-2' });
  });

  test('where it asks is known before all is valid; without node.join there is nobody to ask', () => {
    const flags = { 'node.join': 'h:1', 'node.dataDir': '/d', 'node.name': 'a' };
    const probes = { host: '127.0.0.1', port: 8080 };
    const wish = { address: 'h:1', dataDir: '/d', isFounder: false, probes };
    expect(joinOf({ flags })).toEqual(wish);
    // Reachable from other machines only if that is allowed, and not at all if the port is invalid.
    const open = { ...flags, 'http.host': '0.0.0.0', 'http.port': '9' };
    expect(joinOf({ flags: open })?.probes).toBe(null);
    expect(joinOf({ flags: { ...open, 'network.insecure': 'true' } })?.probes).toEqual({
      host: '0.0.0.0',
      port: 9,
    });
    expect(joinOf({ flags: { ...flags, 'http.port': '99999' } })?.probes).toBe(null);
    const members = { 'cluster.members': 'a=h:1,b=h:2' };
    expect(joinOf({ flags: { ...flags, ...members } })).toEqual({ ...wish, isFounder: true });
    const newcomer = { ...flags, ...members, 'node.name': 'c' };
    expect(joinOf({ flags: newcomer })).toEqual(wish);
    expect(joinOf({ flags: { 'node.dataDir': '/d' } })).toBeUndefined();
  });
});
