/**
 * Three nodes as processes: the command `node` as shipped, or `engine-node`, which gets its work from the benchmark
 * over the process channel instead of from clients.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { nodeEnvironment } from '../src/supervisor/node-files.ts';
import type { EngineAnswer, EngineOrder } from './engine-node.ts';
import { freePorts } from './world.ts';
import type { World } from './world.ts';

export interface NodesOptions {
  readonly command: 'node' | 'engine-node';
  readonly cacheBytes?: number;
  /** Each node has a Redis door. */
  readonly hasRespDoor?: boolean;
  /** Records are kept on the nodes only. */
  readonly isWithoutPostgres?: boolean;
  /** Called before the first node starts; returns where a node dials the others, if not directly. */
  readonly dials?: (nodes: readonly NodeProcess[], databaseUrl: string) => Promise<DialOf>;
}

export type DialOf = (name: string) => readonly { readonly name: string; readonly address: string }[];

export interface Joining {
  /** Name of the member that is asked. */
  readonly by: string;
  /** 0 means unlimited; default: the node's own default. */
  readonly copyBytesPerSecondMax?: number;
}

export interface NodeProcess {
  readonly name: string;
  readonly address: string;
  readonly httpPort: number;
  readonly respPort: number;
  readonly home: string;
}

const NODE_COUNT = 3;
const READY_TIMEOUT_MS = 60_000;
const READY_POLL_MS = 20;
let clusters = 0;

export async function startNodes(world: World, options: NodesOptions): Promise<NodeProcesses> {
  const ports = await freePorts(NODE_COUNT * 3);
  clusters += 1;
  const nodes = Array.from({ length: NODE_COUNT }, (_, index) => ({
    name: `node-${index + 1}`,
    address: `127.0.0.1:${ports[index]!}`,
    httpPort: ports[NODE_COUNT + index]!,
    respPort: ports[2 * NODE_COUNT + index]!,
    home: join(world.directory, `cluster-${clusters}`, `node-${index + 1}`),
  }));
  const databaseUrl = options.isWithoutPostgres === true ? 'none' : await world.createDatabase();
  const dialOf = (await options.dials?.(nodes, databaseUrl)) ?? (() => []);
  const processes = new NodeProcesses(world, options, nodes, databaseUrl, dialOf);
  world.atClose(() => processes.close());
  for (const { name } of nodes) processes.start(name);
  try {
    await processes.untilReady();
  } catch (error) {
    const logs = nodes.map(({ home }) => readFileSync(join(home, 'log'), 'utf8').slice(-2_000));
    await processes.close();
    throw new Error(`the nodes did not become ready:\n${logs.join('\n')}`, { cause: error });
  }
  return processes;
}

export class NodeProcesses {
  /** Those that are members, or will be. */
  readonly nodes: NodeProcess[];
  private readonly founders: readonly NodeProcess[];
  private readonly world: World;
  private readonly options: NodesOptions;
  readonly databaseUrl: string;
  private readonly dialOf: DialOf;
  private readonly joining = new Map<string, Joining>();
  private readonly running = new Map<string, ChildProcess>();
  private orders = 0;

  constructor(
    world: World,
    options: NodesOptions,
    nodes: readonly NodeProcess[],
    databaseUrl: string,
    dialOf: DialOf,
  ) {
    this.world = world;
    this.options = options;
    this.nodes = [...nodes];
    this.founders = nodes;
    this.databaseUrl = databaseUrl;
    this.dialOf = dialOf;
  }

  get addresses(): string[] {
    return this.nodes.map(({ address }) => address);
  }

  get pids(): number[] {
    return [...this.running.values()].map(({ pid }) => pid!);
  }

  node(name: string): NodeProcess {
    return this.nodes.find((node) => node.name === name)!;
  }

  start(name: string, cacheBytes = this.options.cacheBytes): void {
    const { home } = this.node(name);
    mkdirSync(home, { recursive: true });
    const file = join(home, 'node.json');
    writeFileSync(file, JSON.stringify(this.settings(name, cacheBytes)));
    const { profileDirectory } = this.world;
    const profile =
      profileDirectory === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileDirectory}`];
    const output = openSync(join(home, 'log'), 'a');
    const { command } = this.options;
    const child = spawn(process.execPath, [...profile, this.world.entry, command, '--config', file], {
      env: nodeEnvironment({ PATH: process.env['PATH'] }),
      stdio: ['ignore', output, output, 'ipc'],
    });
    closeSync(output);
    this.running.set(name, child);
  }

  /** Adds one more node. */
  async add(name: string, joining: Joining): Promise<void> {
    const [grpc, http, resp] = await freePorts(3);
    const home = join(dirname(this.nodes[0]!.home), name);
    this.nodes.push({ name, address: `127.0.0.1:${grpc!}`, httpPort: http!, respPort: resp!, home });
    this.joining.set(name, joining);
    this.start(name);
  }

  /** Resolves when the process has ended by itself, as a member that has left does. */
  async gone(name: string): Promise<void> {
    await ended(this.running.get(name)!);
    this.running.delete(name);
    this.nodes.splice(this.nodes.indexOf(this.node(name)), 1);
  }

  /** Uses kill -9. Returns once it was sent, because what follows is measured. */
  kill(name: string): Promise<void> {
    const child = this.running.get(name)!;
    this.running.delete(name);
    child.kill('SIGKILL');
    return ended(child);
  }

  async stop(name: string): Promise<void> {
    const child = this.running.get(name)!;
    this.running.delete(name);
    child.kill('SIGTERM');
    await ended(child);
  }

  /** Each node reports that it is ready, and is a complete owner of every slot that is placed on it. */
  async untilReady(): Promise<void> {
    const giveUpAt = performance.now() + READY_TIMEOUT_MS;
    for (const node of this.nodes) {
      while (!(await isReady(node))) {
        if (performance.now() > giveUpAt) throw new Error(`${node.name} did not become ready`);
        await delay(READY_POLL_MS);
      }
    }
  }

  /** `engine-node` only. */
  order(name: string, order: EngineOrder): Promise<EngineAnswer> {
    const child = this.running.get(name)!;
    const id = (this.orders += 1);
    return new Promise((resolve, reject) => {
      const onExit = (): void => reject(new Error(`${name} has ended`));
      const onMessage = (answer: { id: number } & EngineAnswer): void => {
        if (answer.id !== id) return;
        child.off('message', onMessage);
        child.off('exit', onExit);
        resolve(answer);
      };
      child.on('message', onMessage);
      child.once('exit', onExit);
      child.send({ id, order });
    });
  }

  orderAll(order: EngineOrder): Promise<EngineAnswer[]> {
    return Promise.all(this.nodes.map(({ name }) => this.order(name, order)));
  }

  /** If profiles are wanted, nodes must stop gracefully: a profile is written at the very end. */
  async close(): Promise<void> {
    const names = [...this.running.keys()];
    const inOrder = this.world.profileDirectory !== undefined;
    await Promise.all(names.map((name) => (inOrder ? this.stop(name) : this.kill(name))));
  }

  private settings(name: string, cacheBytes: number | undefined): object {
    const { home, address, httpPort, respPort } = this.node(name);
    const { hasRespDoor } = this.options;
    const joining = this.joining.get(name);
    const members = this.founders.map((node) => ({ name: node.name, address: node.address }));
    const rate = joining?.copyBytesPerSecondMax;
    return {
      ...(joining === undefined ? { cluster: { name: 'bench', members } } : {}),
      node: {
        name,
        dataDir: join(home, 'data'),
        ...(joining === undefined ? {} : { join: this.node(joining.by).address }),
      },
      network: { dial: this.dialOf(name) },
      grpc: { port: Number(address.split(':')[1]) },
      http: { port: httpPort },
      ...(hasRespDoor === true ? { resp: { port: respPort } } : {}),
      postgres: this.databaseUrl === 'none' ? 'none' : { url: this.databaseUrl },
      log: { level: 'warn' },
      ...(rate === undefined ? {} : { copy: { bytesPerSecondMax: rate } }),
      ...(cacheBytes === undefined ? {} : { cache: { bytes: cacheBytes } }),
    };
  }
}

function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => child.once('exit', () => resolve()));
}

async function isReady({ httpPort }: NodeProcess): Promise<boolean> {
  try {
    const url = `http://127.0.0.1:${httpPort}/readyz`;
    return (await fetch(url, { signal: AbortSignal.timeout(2_000) })).status === 200;
  } catch {
    return false;
  }
}
