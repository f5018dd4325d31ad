/**
 * A whole cluster on one machine as processes: PostgreSQL, the sample legacy API and the nodes, started in this order
 * and stopped in reverse. Anything given from outside (a database, a legacy API) is not started.
 */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { AwaitedPace, awaitedText, databaseAdvice } from './awaited-text.ts';
import { type ChildEvent, SupervisedChild } from './child-process.ts';
import { type DirectoryLock, lockDirectory } from './directory-lock.ts';
import { EmbeddedPostgres } from './embedded-postgres.ts';
import { lastLines, lastWords } from './log-file.ts';
import {
  type LocalNode,
  localNodes,
  NODE_HOST,
  nodeCountOf,
  nodeEnvironment,
  noteNodeCount,
  settingsKeptBack,
  writeNodeFile,
} from './node-files.ts';
import { httpGet, type NodeView, viewNode, whyNotReady } from './node-probe.ts';
import { checkPorts, type PortNeed } from './ports-check.ts';
import { stopLeftoverIn } from './postgres-data.ts';
import { ProcessFile } from './process-file.ts';
import { LEGACY_HOST } from './sample-legacy.ts';
import { StartError } from './start-error.ts';
import { LEAVE_DEADLINE_MS } from './watch-parent.ts';

export interface LocalClusterOptions {
  /** An absolute path. */
  readonly dataDir: string;
  /** Undefined: as many as the data directory holds, or three. */
  readonly nodeCount: number | undefined;
  readonly grpcPort: number;
  readonly httpPort: number;
  readonly respPort: number;
  readonly postgresPort: number;
  readonly legacyPort: number;
  /** A database that is already running, or 'none'; undefined to run PostgreSQL here. */
  readonly databaseUrl: string | undefined;
  /** A URL template with `{key}` of an API that is already running, or 'none'; undefined to run the sample here. */
  readonly legacyUrl: string | undefined;
  readonly pgBin: string | undefined;
  /** causeway.js: the program with the commands `node`, `guard` and `legacy-sample`. */
  readonly entry: string;
  readonly report: (event: ClusterEvent) => void;
}

export type ClusterEvent = { readonly kind: 'progress'; readonly text: string } | ChildEvent;

export interface Endpoints {
  readonly nodes: readonly LocalNode[];
  readonly databaseUrl: string;
  readonly legacyUrl: string | undefined;
  readonly logs: string;
}

const READY_TIMEOUT_MS = 120_000;
const READY_POLL_MS = 100;
/** Milliseconds between two messages about a lasting wait. */
const PROGRESS_EVERY_MS = 2_000;
/**
 * Milliseconds that ports may remain taken by children of a supervisor that was killed. Longer than the children's own
 * deadline, since on a busy machine they notice its death late.
 */
const STALE_PATIENCE_MS = 2 * LEAVE_DEADLINE_MS;
/** A child that has ended this often before the cluster is ready will not come up by itself. */
const STARTS_FAILED_MAX = 3;
const NODE_STOP_TIMEOUT_MS = 15_000;

export class LocalCluster {
  readonly #options: LocalClusterOptions;
  #lock: DirectoryLock | undefined;
  readonly #processes: ProcessFile;
  #nodes: LocalNode[] = [];
  #postgres: EmbeddedPostgres | undefined;
  #legacy: SupervisedChild | undefined;
  readonly #nodeChildren: SupervisedChild[] = [];
  /** How often each child has ended since its start; only used until all are ready. */
  readonly #endsByName = new Map<string, number>();

  constructor(options: LocalClusterOptions) {
    this.#options = options;
    this.#processes = new ProcessFile(options.dataDir);
  }

  /** Resolves when every node is ready. `stop` must be called after a rejection as well as after a success. */
  async start(signal: AbortSignal): Promise<Endpoints> {
    const { dataDir, nodeCount, databaseUrl } = this.#options;
    for (const line of settingsKeptBack(process.env)) this.#say(`warning: ${line}`);
    this.#lock = lockDirectory(dataDir);
    this.#nodes = localNodes(nodeCountOf(dataDir, nodeCount), this.#options);
    await this.#portsFree(signal);
    if (databaseUrl === undefined) await this.#preparePostgres(signal);
    if (this.#postgres) {
      this.#say('starting PostgreSQL');
      await this.#patiently('PostgreSQL', this.#postgres.start(signal));
    }
    const legacyUrl = await this.#startLegacy(signal);
    const endpoints: Endpoints = {
      nodes: this.#nodes,
      databaseUrl: databaseUrl ?? (this.#postgres as EmbeddedPostgres).url,
      legacyUrl,
      logs: join(dataDir, 'logs'),
    };
    this.#startNodes(endpoints);
    await this.#nodesReady(signal);
    return endpoints;
  }

  views(): Promise<NodeView[]> {
    return Promise.all(this.#nodes.map((node) => viewNode(node.name, node.httpPort)));
  }

  /** Stops in order: nodes, legacy, PostgreSQL. Resolves when no process is left. */
  async stop(): Promise<void> {
    if (this.#nodeChildren.length > 0) this.#say('stopping the nodes');
    await this.#patiently('the nodes', Promise.all(this.#nodeChildren.map((child) => child.stop())));
    await this.#legacy?.stop();
    if (this.#postgres) {
      if (this.#postgres.isRunning) this.#say('stopping PostgreSQL');
      await this.#patiently('PostgreSQL', this.#postgres.stop());
    }
    this.#lock?.release();
  }

  /** Stops everything at once, without waiting for work under way; may be called while `stop` is running. */
  async halt(): Promise<void> {
    await Promise.all([
      ...this.#nodeChildren.map((child) => child.halt()),
      this.#legacy?.halt(),
      this.#postgres?.halt(),
    ]);
    this.#lock?.release();
  }

  async #preparePostgres(signal: AbortSignal): Promise<void> {
    const { dataDir, postgresPort, entry, pgBin } = this.#options;
    this.#postgres = new EmbeddedPostgres({
      directory: join(dataDir, 'postgres'),
      port: postgresPort,
      entry,
      logPath: this.#logPath('postgres'),
      pgBin,
      onEvent: (event) => this.#onChild(event),
      report: (line) => this.#say(line),
    });
    this.#say('preparing PostgreSQL');
    await this.#patiently("PostgreSQL's data directory", this.#postgres.prepare(signal));
  }

  /**
   * Before anything is made: a start that fails for a port leaves nothing behind. Only a server that an earlier run left
   * behind in this directory may hold its own port; it is stopped first.
   */
  async #portsFree(signal: AbortSignal): Promise<void> {
    const { dataDir, databaseUrl } = this.#options;
    if (databaseUrl === undefined) await stopLeftoverIn(join(dataDir, 'postgres'), (line) => this.#say(line));
    const patienceMs = this.#lock?.wasStale === true ? STALE_PATIENCE_MS : 0;
    await checkPorts(this.#portNeeds(), patienceMs, signal, (line) => this.#say(line));
  }

  #portNeeds(): PortNeed[] {
    const { databaseUrl, legacyUrl, postgresPort, legacyPort } = this.#options;
    const needs: PortNeed[] = [];
    for (const { name, grpcPort, httpPort, respPort } of this.#nodes) {
      needs.push({ port: grpcPort, host: NODE_HOST, user: `${name} (gRPC)`, change: '--grpc-port' });
      needs.push({ port: httpPort, host: NODE_HOST, user: `${name} (HTTP)`, change: '--http-port' });
      needs.push({ port: respPort, host: NODE_HOST, user: `${name} (Redis)`, change: '--redis-port' });
    }
    if (databaseUrl === undefined) {
      const change = '--postgres-port (or use a running server by DATABASE_URL)';
      needs.push({ port: postgresPort, host: NODE_HOST, user: 'PostgreSQL', change });
    }
    if (legacyUrl === undefined) {
      const change = '--legacy-port (or use a running API by LEGACY_URL)';
      needs.push({ port: legacyPort, host: LEGACY_HOST, user: 'the sample legacy API', change });
    }
    return needs;
  }

  /** Returns the URL template of the legacy source; undefined if there is none. */
  async #startLegacy(signal: AbortSignal): Promise<string | undefined> {
    const { legacyUrl, legacyPort } = this.#options;
    if (legacyUrl !== undefined) return legacyUrl === 'none' ? undefined : legacyUrl;
    const base = `http://${LEGACY_HOST}:${legacyPort}/legacy`;
    this.#legacy = this.#child('legacy', ['legacy-sample', '--port', String(legacyPort)]);
    this.#legacy.start();
    await this.#untilReady(['the sample legacy API'], signal, async () => {
      const answers = await httpGet(`${base}/keys?limit=1`).then(
        ({ status }) => status === 200,
        () => false,
      );
      return [answers ? '' : 'does not answer yet'];
    });
    return `${base}/data/{key}`;
  }

  #startNodes({ nodes, databaseUrl, legacyUrl }: Endpoints): void {
    const directory = this.#options.dataDir;
    const legacyIsSample = this.#legacy !== undefined;
    for (const node of nodes) {
      const file = writeNodeFile(node, { directory, nodes, databaseUrl, legacyUrl, legacyIsSample });
      this.#nodeChildren.push(this.#child(node.name, ['node', '--config', file]));
    }
    // Written before the first store exists, so that no store ever lies in a directory without the note.
    noteNodeCount(directory, nodes.length);
    this.#say(`starting ${nodes.length} node${nodes.length === 1 ? '' : 's'}`);
    for (const child of this.#nodeChildren) child.start();
  }

  async #nodesReady(signal: AbortSignal): Promise<void> {
    const names = this.#nodes.map(({ name }) => name);
    await this.#untilReady(names, signal, () =>
      Promise.all(this.#nodes.map(({ httpPort }) => whyNotReady(httpPort))),
    );
  }

  /** Polls until every answer is '' (ready); reports what is awaited, and gives up on a child that keeps ending. */
  async #untilReady(names: string[], signal: AbortSignal, ask: () => Promise<string[]>): Promise<void> {
    const startedAt = performance.now();
    const pace = new AwaitedPace(PROGRESS_EVERY_MS, startedAt);
    let isAdvised = this.#options.databaseUrl === undefined;
    for (;;) {
      signal.throwIfAborted();
      const reasons = await ask();
      const missing = names
        .map((name, index) => ({ name, reason: reasons[index] ?? '' }))
        .filter(({ reason }) => reason !== '');
      if (missing.length === 0) return;
      this.#refuseHopeless();
      const now = performance.now();
      const reason = awaitedText(missing);
      const text = `${reason} after ${Math.round((now - startedAt) / 1000)} s`;
      if (now - startedAt > READY_TIMEOUT_MS) {
        throw new StartError(`not ready: ${text} (logs: ${join(this.#options.dataDir, 'logs')})`);
      }
      if (pace.isDue(reason, now)) {
        this.#say(`waiting for ${text}`);
        const advice = isAdvised ? undefined : databaseAdvice(missing);
        if (advice !== undefined) this.#say(advice);
        isAdvised ||= advice !== undefined;
      }
      await delay(READY_POLL_MS, undefined, { signal });
    }
  }

  #refuseHopeless(): void {
    for (const [name, ends] of this.#endsByName) {
      if (ends < STARTS_FAILED_MAX) continue;
      const log = this.#logPath(name);
      const words = lastWords(log) || lastLines(log, 1).join();
      throw new StartError(`${name} does not start: ${words} (log: ${log})`);
    }
  }

  /** Prints a message every two seconds while the work lasts. */
  async #patiently<T>(what: string, work: Promise<T>): Promise<T> {
    const startedAt = performance.now();
    const timer = setInterval(() => {
      this.#say(`still waiting for ${what}, ${Math.round((performance.now() - startedAt) / 1000)} s`);
    }, PROGRESS_EVERY_MS);
    try {
      return await work;
    } finally {
      clearInterval(timer);
    }
  }

  #child(name: string, args: string[]): SupervisedChild {
    return new SupervisedChild({
      name,
      command: process.execPath,
      args: [this.#options.entry, ...args],
      env: nodeEnvironment(process.env),
      logPath: this.#logPath(name),
      stopTimeoutMs: NODE_STOP_TIMEOUT_MS,
      onEvent: (event) => this.#onChild(event),
    });
  }

  #onChild(event: ChildEvent): void {
    if (event.kind === 'ended') this.#endsByName.set(event.name, (this.#endsByName.get(event.name) ?? 0) + 1);
    this.#processes.note(event);
    this.#options.report(event);
  }

  #logPath(name: string): string {
    return join(this.#options.dataDir, 'logs', `${name}.log`);
  }

  #say(text: string): void {
    this.#options.report({ kind: 'progress', text });
  }
}
