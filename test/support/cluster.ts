/**
 * A cluster of real node processes for tests: the program as shipped, a real PostgreSQL, and a legacy API that counts
 * its calls. Nodes can be killed, restarted and deprived of their disks. They hold a channel to the test's process and
 * end with it, however it ends.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { connect } from '../../src/client/index.ts';
import type { CausewayClient, Inspected } from '../../src/client/index.ts';
import type { NodeStatus } from '../../src/node/status.ts';
import { LegacyServer } from './legacy-server.ts';
import { runOnce, testServer } from './postgres.ts';
import { ended, freePorts, hasEnded, temporaryDirectory, until } from './supervisor-program.ts';

export interface ClusterOptions {
  /** The path of causeway.js. */
  readonly entry: string;
  readonly nodes?: number;
  /** Default: 3, or the number of nodes if that is lower. */
  readonly replicas?: number;
  /** Default: true. */
  readonly legacy?: boolean;
  /** How a node reaches PostgreSQL, if not directly. */
  readonly databaseUrlOf?: (node: string, direct: string) => Promise<string>;
  readonly routes?: readonly { readonly prefix: string; readonly writeThrough: boolean }[];
  /** Where a node runs, if not simply on this machine. Called before `surround`, and for each node added later. */
  readonly place?: (name: string) => Promise<Place>;
  /** Called before the first node starts. */
  readonly surround?: (
    nodes: readonly TestNode[],
    databaseUrl: string,
    legacyUrl: string | null,
  ) => Promise<Surroundings>;
  /** Called when a process ends unexpectedly, with its exit code or the signal's name. */
  readonly onEnded?: (name: string, how: number | string) => void;
}

/** What is between the nodes and the world; asked at every start of a node. */
export interface Surroundings {
  /** Merged into a node's settings, section by section. */
  readonly settingsOf: (name: string) => Readonly<Record<string, object>>;
  readonly envOf: (name: string) => Readonly<Record<string, string>>;
  /** Called when all nodes have ended. */
  readonly close: () => Promise<void>;
}

/** The address at which a node listens, and the beginning of its command line. */
export interface Place {
  readonly host: string;
  readonly command: readonly string[];
}

export interface TestNode {
  readonly name: string;
  readonly address: string;
  readonly httpPort: number;
  readonly respPort: number;
  readonly home: string;
  databaseUrl: string;
  readonly command: readonly string[];
  /** Lost together with the node's disk; a separate disk may be mounted there. */
  readonly disk: string;
}

const HERE: Place = { host: '127.0.0.1', command: [] };
const READY_TIMEOUT_MS = 30_000;
/** A client that is to see one node's answers must not wait long for a dead one. */
const CONNECT_TIMEOUT_MS = 1_000;

export async function startCluster(options: ClusterOptions): Promise<TestCluster> {
  const databaseUrl = await (await testServer()).createDatabase();
  const legacy = options.legacy === false ? null : await LegacyServer.start();
  const count = options.nodes ?? 3;
  const ports = await freePorts(count * 3);
  const directory = temporaryDirectory();
  const nodes: TestNode[] = [];
  for (let index = 0; index < count; index += 1) {
    const name = `node-${index + 1}`;
    const place = (await options.place?.(name)) ?? HERE;
    nodes.push({
      name,
      ...{ address: `${place.host}:${ports[index]!}`, command: place.command },
      httpPort: ports[count + index]!,
      respPort: ports[2 * count + index]!,
      home: join(directory.path, name),
      disk: join(directory.path, name, 'disk'),
      databaseUrl: (await options.databaseUrlOf?.(name, databaseUrl)) ?? databaseUrl,
    });
  }
  const around = (await options.surround?.(nodes, databaseUrl, legacy?.url ?? null)) ?? null;
  const cluster = new TestCluster(options, nodes, databaseUrl, legacy, around, () => directory.remove());
  for (const node of nodes) cluster.start(node.name);
  try {
    await cluster.untilReady();
  } catch (error) {
    const logs = cluster.logs();
    await cluster.close();
    throw new Error(`the cluster did not become ready:\n${logs}`, { cause: error });
  }
  return cluster;
}

export class TestCluster {
  readonly nodes: TestNode[];
  databaseUrl: string;
  private readonly options: ClusterOptions;
  private readonly source: LegacyServer | null;
  private readonly around: Surroundings | null;
  private readonly removeDirectory: () => void;
  private readonly processes = new Map<string, ChildProcess>();
  /** Processes that were told to end. */
  private readonly ending = new Set<ChildProcess>();
  /** The settings of nodes that were not there at the founding. */
  private readonly joining = new Map<string, object>();
  private readonly founders: readonly TestNode[];
  private readonly clients: CausewayClient[] = [];

  constructor(
    options: ClusterOptions,
    nodes: TestNode[],
    databaseUrl: string,
    source: LegacyServer | null,
    around: Surroundings | null,
    removeDirectory: () => void,
  ) {
    this.options = options;
    this.nodes = nodes;
    this.founders = [...nodes];
    this.databaseUrl = databaseUrl;
    this.source = source;
    this.around = around;
    this.removeDirectory = removeDirectory;
  }

  get names(): string[] {
    return this.nodes.map(({ name }) => name);
  }

  get legacy(): LegacyServer {
    if (this.source === null) throw new Error('this cluster has no legacy source');
    return this.source;
  }

  node(name: string): TestNode {
    return this.nodes.find((node) => node.name === name)!;
  }

  /** Adds a node that joins through another; `replaces` names a lost node whose place it takes. */
  async add(name: string, by: string, replaces?: string): Promise<void> {
    const [grpc, http, resp] = await freePorts(3);
    const place = (await this.options.place?.(name)) ?? HERE;
    this.nodes.push({
      name,
      ...{ address: `${place.host}:${grpc!}`, command: place.command },
      httpPort: http!,
      respPort: resp!,
      home: join(dirname(this.nodes[0]!.home), name),
      disk: join(dirname(this.nodes[0]!.home), name, 'disk'),
      databaseUrl: this.databaseUrl,
    });
    this.joining.set(name, {
      join: this.node(by).address,
      ...(replaces === undefined ? {} : { replace: replaces }),
    });
    this.start(name);
  }

  /**
   * A member leaves for good; resolves when its process has ended. Afterwards it is not a node of this cluster any
   * more.
   */
  async leave(name: string): Promise<void> {
    const child = this.processes.get(name)!;
    this.ending.add(child);
    await this.client(this.names.find((other) => other !== name)!).leave(name);
    const code = await this.ended(name);
    this.ending.delete(child);
    this.nodes.splice(this.nodes.indexOf(this.node(name)), 1);
    if (code !== 0) throw new Error(`${name} has left, and its process has ended with ${code}`);
  }

  /** Resolves with its exit code when its process has ended by itself. */
  async ended(name: string): Promise<number | null> {
    const child = this.processes.get(name)!;
    await ended(child);
    this.processes.delete(name);
    return child.exitCode;
  }

  start(name: string): void {
    const { home } = this.node(name);
    mkdirSync(this.node(name).disk, { recursive: true });
    const file = join(home, 'node.json');
    writeFileSync(file, JSON.stringify(this.settings(name)));
    const output = openSync(join(home, 'log'), 'a');
    const [program, ...words] = [
      ...[...this.node(name).command, process.execPath],
      ...[this.options.entry, 'node', '--config', file],
    ];
    const child = spawn(program!, words, {
      env: { PATH: process.env['PATH'], ...this.around?.envOf(name) },
      stdio: ['ignore', output, output, 'ipc'],
    });
    closeSync(output);
    this.processes.set(name, child);
    child.once('exit', (code, signal) => {
      if (this.processes.get(name) === child && !this.ending.has(child)) {
        this.options.onEnded?.(name, code ?? String(signal));
      }
    });
  }

  /** The living process of this node; undefined if there is none. */
  processOf(name: string): ChildProcess | undefined {
    const child = this.processes.get(name);
    return child === undefined || hasEnded(child) ? undefined : child;
  }

  /** Uses kill -9; resolves when the process is gone. */
  kill(...names: string[]): Promise<void> {
    return this.end('SIGKILL', names.length === 0 ? this.names : names);
  }

  /** Stops gracefully. */
  stop(...names: string[]): Promise<void> {
    return this.end('SIGTERM', names.length === 0 ? this.names : names);
  }

  /** Restarts the node gracefully with that PostgreSQL in its configuration. */
  async pointAt(name: string, databaseUrl: string): Promise<void> {
    await this.stop(name);
    this.node(name).databaseUrl = databaseUrl;
    this.start(name);
  }

  /** As if the machine had been lost with its disk; the node must not be running. */
  wipe(name: string): void {
    rmSync(join(this.node(name).disk, 'data'), { recursive: true });
  }

  /** Resolves when the nodes report that they are ready, and each is a complete owner of every slot placed on it. */
  async untilReady(...names: string[]): Promise<void> {
    for (const name of names.length === 0 ? this.names : names) {
      await until(`${name} is ready`, () => this.isReady(name), READY_TIMEOUT_MS);
    }
  }

  async isReady(name: string): Promise<boolean> {
    const answer = await this.http(name, '/readyz');
    return answer?.status === 200;
  }

  async http(name: string, path: string): Promise<{ status: number; body: unknown } | null> {
    try {
      const { address, httpPort } = this.node(name);
      const url = `http://${address.split(':')[0]!}:${httpPort}${path}`;
      const answer = await fetch(url, { signal: AbortSignal.timeout(2_000) });
      return { status: answer.status, body: await answer.json() };
    } catch {
      return null;
    }
  }

  async status(name: string): Promise<NodeStatus> {
    const answer = await this.http(name, '/status');
    if (answer === null) throw new Error(`${name} does not answer`);
    return answer.body as NodeStatus;
  }

  /** The sum of a counter without labels over all nodes. */
  async counted(metric: string): Promise<number> {
    const line = new RegExp(`^${metric} (\\d+)$`, 'm');
    const counts = this.names.map(async (name) => {
      const { address, httpPort } = this.node(name);
      const answer = await fetch(`http://${address.split(':')[0]!}:${httpPort}/metrics`);
      return Number(line.exec(await answer.text())?.[1] ?? NaN);
    });
    return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
  }

  /** A client of these nodes only, or of all. Closed with the cluster. */
  client(...names: string[]): CausewayClient {
    const nodes = (names.length === 0 ? this.names : names).map((name) => this.node(name).address);
    const client = connect({ nodes, connectTimeoutMs: CONNECT_TIMEOUT_MS });
    this.clients.push(client);
    return client;
  }

  inspect(name: string, key: string): Promise<Inspected> {
    return this.client(name).inspect(this.node(name).address, key);
  }

  async rows(text: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
    return (await runOnce(this.databaseUrl, text, values)).rows as Record<string, unknown>[];
  }

  logs(): string {
    return this.nodes.map(({ home }) => readFileSync(join(home, 'log'), 'utf8')).join('\n');
  }

  async close(): Promise<void> {
    for (const client of this.clients) client.close();
    await this.kill();
    await this.source?.goDown();
    await this.around?.close();
    this.removeDirectory();
  }

  private async end(signal: NodeJS.Signals, names: readonly string[]): Promise<void> {
    const running = names.flatMap((name) => {
      const child = this.processes.get(name);
      return child === undefined ? [] : [{ name, child }];
    });
    for (const { child } of running) {
      this.ending.add(child);
      child.kill(signal);
    }
    await Promise.all(running.map(({ child }) => ended(child)));
    for (const { name, child } of running) {
      this.ending.delete(child);
      // While others were awaited, somebody who ended the same one may have started it again.
      if (this.processes.get(name) === child) this.processes.delete(name);
    }
  }

  private settings(name: string): object {
    const { disk, address, httpPort, respPort, databaseUrl } = this.node(name);
    const { founders } = this;
    const cluster = {
      name: 'test',
      members: founders.map((node) => ({ name: node.name, address: node.address })),
      replicas: this.options.replicas ?? Math.min(3, founders.length),
      ownersMin: Math.min(2, this.options.replicas ?? founders.length),
    };
    const settings: Record<string, object> = {
      ...(this.joining.has(name) ? {} : { cluster }),
      node: { name, dataDir: join(disk, 'data'), ...this.joining.get(name) },
      grpc: { port: Number(address.split(':')[1]) },
      http: { port: httpPort },
      resp: { port: respPort },
      postgres: { url: databaseUrl },
      ...(this.source === null ? {} : { legacy: { url: this.source.url, echo: '/key' } }),
      ...(this.options.routes === undefined ? {} : { routes: this.options.routes }),
    };
    for (const [section, laidOver] of Object.entries(this.around?.settingsOf(name) ?? {})) {
      settings[section] = { ...settings[section], ...laidOver };
    }
    return settings;
  }
}
