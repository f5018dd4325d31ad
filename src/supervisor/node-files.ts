/**
 * The files that a local cluster writes for its nodes: a configuration file for each, below the data directory, and a
 * note of the number of nodes, since the stores in that directory belong to a cluster of exactly these members.
 */
import * as fs from 'node:fs';
import { mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';
import { replaceFile } from '../base/replace-file.ts';
import { isForSettings, variableOf } from '../config/layers.ts';
import { StartError } from './start-error.ts';

export const NODE_HOST = '127.0.0.1';
const NODE_COUNT_DEFAULT = 3;

export interface LocalNode {
  readonly name: string;
  readonly grpcPort: number;
  readonly httpPort: number;
  readonly respPort: number;
}

/** The ports are those of the first node; the other nodes use the ports that follow. */
export function localNodes(
  count: number,
  { grpcPort, httpPort, respPort }: Omit<LocalNode, 'name'>,
): LocalNode[] {
  return Array.from({ length: count }, (_, index) => ({
    name: `node-${index + 1}`,
    grpcPort: grpcPort + index,
    httpPort: httpPort + index,
    respPort: respPort + index,
  }));
}

/** The number of nodes to run: the requested one, else that of the directory, else the default. */
export function nodeCountOf(directory: string, asked: number | undefined): number {
  const held = heldCount(join(directory, 'cluster.json'));
  if (held !== undefined && asked !== undefined && held !== asked) {
    throw new StartError(
      `${directory} holds a cluster of ${held} nodes, not ${asked}: use --nodes ${held}, ` +
        'or choose another --data-dir for a new cluster',
    );
  }
  return asked ?? held ?? NODE_COUNT_DEFAULT;
}

export function noteNodeCount(directory: string, count: number): void {
  writeWhole(join(directory, 'cluster.json'), `${JSON.stringify({ nodes: count })}\n`);
}

function heldCount(path: string): number | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
  const match = /^\{"nodes":([1-9])\}\s*$/.exec(text);
  if (match) return Number(match[1]);
  throw new StartError(
    `${path} is damaged: it must read {"nodes":3} with the number of nodes of this cluster`,
  );
}

export interface NodeFileInput {
  readonly directory: string;
  readonly nodes: readonly LocalNode[];
  /** 'none': records are kept on the nodes only. */
  readonly databaseUrl: string;
  /** A URL template with `{key}`; undefined for no legacy source. */
  readonly legacyUrl: string | undefined;
  /** The legacy source is our own sample, which understands every escape. */
  readonly legacyIsSample: boolean;
}

/**
 * Writes `.causeway/NAME/node.yaml` and returns its path. The file may contain a password, so only its owner can read
 * it.
 */
export function writeNodeFile(node: LocalNode, input: NodeFileInput): string {
  const { directory, nodes, databaseUrl, legacyUrl, legacyIsSample } = input;
  const escapes = legacyIsSample ? { trustedEscapes: '/\\%' } : {};
  const home = join(directory, node.name);
  const config = {
    cluster: {
      name: 'local',
      members: nodes.map(({ name, grpcPort }) => ({ name, address: `${NODE_HOST}:${grpcPort}` })),
      replicas: Math.min(3, nodes.length),
      ownersMin: Math.min(2, nodes.length),
    },
    node: { name: node.name, dataDir: join(home, 'data') },
    grpc: { host: NODE_HOST, port: node.grpcPort },
    http: { host: NODE_HOST, port: node.httpPort },
    resp: {
      host: NODE_HOST,
      port: node.respPort,
      mayFlush: true,
    },
    postgres: databaseUrl === 'none' ? 'none' : { url: databaseUrl },
    ...(legacyUrl === undefined
      ? {}
      : { legacy: { url: legacyUrl, value: '/value', echo: '/key', ...escapes } }),
    log: { level: 'info' },
  };
  mkdirSync(home, { recursive: true });
  const path = join(home, 'node.yaml');
  writeWhole(path, `# Written by causeway up at every start: changes here are lost.\n${stringify(config)}`);
  return path;
}

/**
 * The environment of a node. The settings in its file must hold: a variable meant for the supervisor, or for a single
 * node, would override the file in every node alike. Other settings (CAUSEWAY_LOG_LEVEL, ...) are passed on, above all
 * a password for Redis clients, without which that door would be open to everybody.
 *
 * glibc's allocator keeps a heap for each of a process's dozen threads, most of which take turns with the same work:
 * with two heaps, a node of a million keys takes 60 MB less.
 */
export function nodeEnvironment(from: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const passedOn = Object.entries(from).filter(
    ([name]) => !KEPT_BACK.has(name) && !DECIDED_BY_FILE.has(name),
  );
  return { MALLOC_ARENA_MAX: '2', ...Object.fromEntries(passedOn) };
}

/** For the user who set them: the settings in the environment that do not reach the nodes, one line each. */
export function settingsKeptBack(from: NodeJS.ProcessEnv): string[] {
  const lines: string[] = [];
  for (const [name, text] of Object.entries(from)) {
    const instead = DECIDED_BY_FILE.get(name);
    if (instead === undefined || !isForSettings(name, text)) continue;
    const why = instead === '' ? 'it would be the same at every node' : `${instead} decides it here`;
    lines.push(`${name} is not handed to the nodes: ${why}`);
  }
  return lines.sort();
}

const KEPT_BACK = new Set(['DATABASE_URL', 'LEGACY_URL', 'CAUSEWAY_NODES']);

/** Variables of settings that differ between the nodes or are given another way, each with what to use instead. */
const DECIDED_BY_FILE: ReadonlyMap<string, string> = new Map(
  Object.entries({
    'cluster.members': '--nodes',
    'node.name': '',
    'node.dataDir': '--data-dir',
    'node.weight': '',
    'node.address': '',
    'node.zone': '',
    'node.host': '',
    'node.join': '',
    'node.replace': '',
    'grpc.host': '',
    'grpc.port': '--grpc-port',
    'http.host': '',
    'http.port': '--http-port',
    'http.address': '',
    'resp.host': '',
    'resp.port': '--redis-port',
    'resp.address': '',
    'resp.members': '',
    postgres: 'DATABASE_URL',
    'postgres.url': 'DATABASE_URL',
    legacy: 'LEGACY_URL',
    'legacy.url': 'LEGACY_URL',
  }).map(([path, instead]) => [variableOf(path), instead]),
);

function writeWhole(path: string, text: string): void {
  replaceFile({ ...fs, dirname }, path, text, 0o600);
}
