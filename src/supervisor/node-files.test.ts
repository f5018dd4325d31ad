/** The files that a local cluster writes are readable for a node. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadConfig, settingsThatMustAgree } from '../config/config.ts';
import { SETTING_KINDS, variableOf } from '../config/layers.ts';
import {
  localNodes,
  nodeCountOf,
  nodeEnvironment,
  noteNodeCount,
  settingsKeptBack,
  writeNodeFile,
} from './node-files.ts';
import { postgresEnvironment } from './postgres-data.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'causeway-files-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const DATABASE_URL = 'postgresql://admin@127.0.0.1:54320/cache_db';

function configOf(
  databaseUrl: string,
  legacyUrl: string | undefined,
  count = 3,
  env: NodeJS.ProcessEnv = {},
) {
  const nodes = localNodes(count, { grpcPort: 50_051, httpPort: 8081, respPort: 7001 });
  const legacyIsSample = legacyUrl?.includes('8001') ?? false;
  const file = writeNodeFile(nodes.at(-1)!, { directory, nodes, databaseUrl, legacyUrl, legacyIsSample });
  return loadConfig({ file, env: nodeEnvironment(env) }).config;
}

test('three nodes with a database and a legacy API: a configuration that a node accepts', () => {
  const config = configOf(DATABASE_URL, 'http://127.0.0.1:8001/legacy/data/{key}');
  expect(config.cluster.members.map(({ address }) => address)).toEqual([
    '127.0.0.1:50051',
    '127.0.0.1:50052',
    '127.0.0.1:50053',
  ]);
  expect(config).toMatchObject({
    cluster: { replicas: 3, ownersMin: 2 },
    node: { name: 'node-3', dataDir: join(directory, 'node-3', 'data') },
    http: { port: 8083 },
    resp: { port: 7003, members: [] },
    postgres: { url: DATABASE_URL },
    legacy: { url: 'http://127.0.0.1:8001/legacy/data/{key}', value: '/value', echo: '/key' },
  });
  expect(config.legacy?.trustedEscapes).toBe('/\\%');
  expect(configOf(DATABASE_URL, 'http://theirs/{key}').legacy?.trustedEscapes).toBe('');
});

test('a password for Redis clients, and what is allowed to them, come from the environment; where the door is does not', () => {
  const { resp } = configOf('none', undefined, 3, {
    CAUSEWAY_RESP_PASSWORD: 'env:SECRET',
    CAUSEWAY_RESP_MAY_FLUSH: 'false',
    CAUSEWAY_RESP_CONNECTIONS_MAX: '20',
    CAUSEWAY_RESP_PORT: '1',
    CAUSEWAY_RESP_HOST: '0.0.0.0',
  });
  expect(resp).toMatchObject({ password: 'env:SECRET', mayFlush: false, connectionsMax: 20 });
  expect(resp).toMatchObject({ port: 7003, host: '127.0.0.1' });
});

test('the variables that the README gives to a node that joins: what must agree agrees', () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const [, line = ''] = /^export (DATABASE_URL=.*)$/m.exec(readme) ?? [];
  const env = Object.fromEntries(line.split(' ').map((each) => each.split('=') as [string, string]));
  const founders = configOf(DATABASE_URL, 'http://127.0.0.1:8001/legacy/data/{key}');
  const flags = {
    'node.name': 'node-4',
    'node.dataDir': 'd4',
    'cluster.ownersMin': '1',
    'cluster.members': 'node-4=h:1',
  };
  const { config } = loadConfig({ env, flags });
  expect(config.postgres?.url).toBe(DATABASE_URL);
  expect(settingsThatMustAgree(config)['legacy']).toBe(settingsThatMustAgree(founders)['legacy']);
});

test('one node with neither: accepted too', () => {
  expect(configOf('none', undefined, 1)).toMatchObject({ postgres: null, legacy: null });
});

test('variables of the shell that would win over the file: kept from the nodes; others reach them', () => {
  const config = configOf(DATABASE_URL, undefined, 3, {
    DATABASE_URL: 'none',
    LEGACY_URL: 'http://elsewhere/',
    CAUSEWAY_GRPC_PORT: '1',
    CAUSEWAY_NODE_NAME: 'node-1',
    CAUSEWAY_LOG_LEVEL: 'debug',
  });
  expect(config).toMatchObject({
    grpc: { port: 50_053 },
    node: { name: 'node-3' },
    postgres: { url: DATABASE_URL },
    legacy: null,
    log: { level: 'debug' },
  });
});

test('settings of the whole cluster reach every node, and so does how long a dead one is waited for', () => {
  const { cluster } = configOf(DATABASE_URL, undefined, 3, {
    CAUSEWAY_CLUSTER_HEAL_AFTER_MS: '77000',
    CAUSEWAY_CLUSTER_REPLICAS: '2',
    CAUSEWAY_CLUSTER_OWNERS_MIN: '1',
    CAUSEWAY_CLUSTER_MEMBERS: 'other=h:1',
  });
  expect(cluster).toMatchObject({ healAfterMs: 77_000, replicas: 2, ownersMin: 1 });
  expect(cluster.members).toHaveLength(3);
});

test('settings that do not reach the nodes: each is named, with what is there in its place; others are not', () => {
  const env = {
    CAUSEWAY_GRPC_PORT: '50061',
    CAUSEWAY_NODE_ZONE: 'a',
    CAUSEWAY_POSTGRES_URL: 'postgres://u:password@h/d',
    ...{ CAUSEWAY_CLUSTER_REPLICAS: '2', CAUSEWAY_NODES: 'h:1', CAUSEWAY_LOG_LEVEL: 'debug', PATH: '/bin' },
    ...{ CAUSEWAY_HTTP_PORT: 'tcp://10.0.0.7:8080', CAUSEWAY_NODE_NAME: '', DATABASE_URL: 'none' },
  };
  expect(settingsKeptBack(env)).toEqual([
    'CAUSEWAY_GRPC_PORT is not handed to the nodes: --grpc-port decides it here',
    'CAUSEWAY_NODE_ZONE is not handed to the nodes: it would be the same at every node',
    'CAUSEWAY_POSTGRES_URL is not handed to the nodes: DATABASE_URL decides it here',
  ]);
});

test('a variable of each setting: it reaches the nodes, or its owner is told that it does not', () => {
  for (const path of Object.keys(SETTING_KINDS)) {
    const env = { [variableOf(path)]: 'x' };
    const isPassedOn = variableOf(path) in nodeEnvironment(env);
    expect([path, settingsKeptBack(env).length]).toEqual([path, isPassedOn ? 0 : 1]);
  }
});

test.each([
  [1, { replicas: 1, ownersMin: 1 }],
  [2, { replicas: 2, ownersMin: 2 }],
  [5, { replicas: 3, ownersMin: 2 }],
])('%i nodes: as many owners of a key as there can be, and at most three', (count, cluster) => {
  expect(configOf('none', undefined, count)).toMatchObject({ cluster });
});

test('the number of nodes: what the directory holds, and another number is refused', () => {
  expect([nodeCountOf(directory, undefined), nodeCountOf(directory, 5)]).toEqual([3, 5]);
  noteNodeCount(directory, 5);
  expect(nodeCountOf(directory, undefined)).toBe(5);
  expect(() => nodeCountOf(directory, 3)).toThrow(/holds a cluster of 5 nodes, not 3/);
  writeFileSync(join(directory, 'cluster.json'), '{"nod');
  expect(() => nodeCountOf(directory, undefined)).toThrow(/is damaged/);
});

test('the allocator of a node is kept small, unless the user has set it', () => {
  expect(nodeEnvironment({ PATH: '/bin' })).toEqual({ PATH: '/bin', MALLOC_ARENA_MAX: '2' });
  expect(nodeEnvironment({ MALLOC_ARENA_MAX: '8' })).toEqual({ MALLOC_ARENA_MAX: '8' });
});

test('a PostgreSQL of ours, which everybody on this machine may ask: no setting of nodes, and no secret that one names', () => {
  const settings = {
    DATABASE_URL: 'postgres://u:p@h/d',
    CAUSEWAY_RESP_PASSWORD: 'env:SECRET',
    CAUSEWAY_LEGACY_HEADERS: '{"authorization":"Bearer env:TOKEN"}',
    ...{ SECRET: 's', TOKEN: 't', PGPORT: '1' },
  };
  expect(postgresEnvironment({ ...settings, PATH: '/bin' })).toEqual({
    PATH: '/bin',
    LC_ALL: 'C',
    TZ: 'UTC',
  });
});
