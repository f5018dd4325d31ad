/**
 * Imitates what Kubernetes does with a StatefulSet, with real processes: pods with the variables and arguments of the
 * manifest, an address of their own that changes at each start, names that resolve to it, a service for the pods that
 * are ready, an API server that says how many are wanted, the preStop command, and persistent claims.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { connect } from '../../src/client/index.ts';
import type { CausewayClient } from '../../src/client/index.ts';
import type { NodeStatus } from '../../src/node/status.ts';
import { podEnvironment } from '../deploy/pod-template.ts';
import type { StatefulSet } from '../deploy/pod-template.ts';
import { testServer } from './postgres.ts';
import { repositoryRoot as root } from './root.ts';
import { ended, freePorts, temporaryDirectory, until } from './supervisor-program.ts';

const TOKEN = 'token-of-the-account';
const LOOK_EVERY_MS = 50;
/** Milliseconds between an unexpected end of a container and its next start. */
const BACK_OFF_MS = 200;
const PATIENCE_MS = 60_000;

interface Pod {
  readonly ordinal: number;
  readonly address: string;
  readonly process: ChildProcess;
  /** It is to end, so it is not restarted. */
  isEnding: boolean;
  isReady: boolean;
}

export class Pods {
  private readonly set: StatefulSet;
  private readonly entry: string;
  private readonly databaseUrl: string;
  private readonly ports: { readonly grpc: number; readonly http: number };
  private readonly directory = temporaryDirectory();
  private readonly pods = new Map<number, Pod>();
  private readonly clients: CausewayClient[] = [];
  private readonly api: Server;
  private replicas = 0;
  private starts = 0;
  private looking: NodeJS.Timeout | null = null;

  private constructor(set: StatefulSet, entry: string, databaseUrl: string, ports: readonly number[]) {
    this.set = set;
    this.entry = entry;
    this.databaseUrl = databaseUrl;
    this.ports = { grpc: ports[0]!, http: ports[1]! };
    this.api = createServer((request, response) => {
      const { name, namespace } = set.metadata;
      const isAsked = request.url === `/apis/apps/v1/namespaces/${namespace}/statefulsets/${name}`;
      if (request.headers.authorization !== `Bearer ${TOKEN}`) response.writeHead(401).end();
      else if (!isAsked) response.writeHead(404).end();
      else response.end(JSON.stringify({ metadata: { name }, spec: { replicas: this.replicas } }));
    });
  }

  static async prepare(set: StatefulSet, entry: string): Promise<Pods> {
    const databaseUrl = await (await testServer()).createDatabase();
    const pods = new Pods(set, entry, databaseUrl, await freePorts(2));
    const account = pods.path('account');
    mkdirSync(account);
    writeFileSync(join(account, 'token'), `${TOKEN}\n`);
    writeFileSync(join(account, 'namespace'), set.metadata.namespace);
    await new Promise<void>((resolve) => pods.api.listen(0, '127.0.0.1', resolve));
    pods.tellNames();
    pods.lookAgain();
    return pods;
  }

  /** From now on this many are wanted. Surplus pods are ended; resolves when they are gone. */
  async scale(replicas: number): Promise<void> {
    this.replicas = replicas;
    for (let ordinal = 0; ordinal < replicas; ordinal += 1) if (!this.pods.has(ordinal)) this.start(ordinal);
    await Promise.all(
      [...this.pods.keys()].filter((ordinal) => ordinal >= replicas).map((ordinal) => this.end(ordinal)),
    );
  }

  /** In this order, one for each number. */
  startAll(ordinals: readonly number[]): void {
    this.replicas = ordinals.length;
    for (const ordinal of ordinals) this.start(ordinal);
  }

  /**
   * Like an update: ends the pod gracefully and starts it again with another address. Returns the output of the preStop
   * command.
   */
  async replace(ordinal: number): Promise<string> {
    const before = this.pods.get(ordinal)!.address;
    const said = await this.end(ordinal);
    this.start(ordinal);
    if (this.pods.get(ordinal)!.address === before) throw new Error('the address is the same as before');
    return said;
  }

  async untilReady(...ordinals: number[]): Promise<void> {
    await until(
      `pods ${ordinals.join(', ')} are ready`,
      () => ordinals.every((ordinal) => this.pods.get(ordinal)?.isReady === true),
      PATIENCE_MS,
    ).catch((error: unknown) => {
      throw new Error(this.logs(), { cause: error });
    });
  }

  /** Waits until all of them report exactly these members, each an owner of something, and nothing is left to move. */
  async untilShared(...ordinals: number[]): Promise<void> {
    const names = ordinals.map((ordinal) => `${this.set.metadata.name}-${ordinal}`);
    const isShared = async (ordinal: number): Promise<boolean> => {
      const status = await this.status(ordinal);
      if (status?.leaseHeld !== true || status.slotsMoving > 0 || status.phase !== 'serving') return false;
      const living = status.members.filter(({ alive }) => alive).map(({ name }) => name);
      return status.members.length === names.length && names.every((name) => living.includes(name));
    };
    await until(
      `the members are ${names.join(', ')}`,
      async () => (await Promise.all(ordinals.map(isShared))).every(Boolean),
      PATIENCE_MS,
    ).catch(async (error: unknown) => {
      const told = await Promise.all(ordinals.map((ordinal) => this.status(ordinal)));
      throw new Error(`${JSON.stringify(told)}\n${this.logs()}`, { cause: error });
    });
  }

  async status(ordinal: number): Promise<NodeStatus | null> {
    return (await this.page(ordinal, '/status')) as NodeStatus | null;
  }

  /** A client of the pods that are running now, at their present addresses. */
  client(): CausewayClient {
    const client = connect({
      nodes: [...this.pods.values()].map(({ address }) => `${address}:${this.ports.grpc}`),
    });
    this.clients.push(client);
    return client;
  }

  logs(): string {
    const texts = Array.from({ length: this.starts }, (_, start) =>
      readFileSync(this.path(`log-${start + 1}`), 'utf8'),
    );
    return texts.join('\n');
  }

  async close(): Promise<void> {
    if (this.looking !== null) clearTimeout(this.looking);
    this.looking = null;
    for (const client of this.clients) client.close();
    const running = [...this.pods.values()];
    for (const pod of running) {
      pod.isEnding = true;
      pod.process.kill('SIGKILL');
    }
    await Promise.all(running.map(({ process }) => ended(process)));
    this.api.close();
    this.api.closeAllConnections();
    this.directory.remove();
  }

  private path(name: string): string {
    return join(this.directory.path, name);
  }

  private start(ordinal: number): void {
    this.starts += 1;
    const address = `127.0.${1 + Math.floor(this.starts / 250)}.${1 + (this.starts % 250)}`;
    const { args } = this.set.spec.template.spec.containers[0];
    const child = this.run(`log-${this.starts}`, [...args], this.environment(ordinal, address));
    const pod: Pod = { ordinal, address, process: child, isEnding: false, isReady: false };
    this.pods.set(ordinal, pod);
    this.tellNames();
    child.once('exit', () => {
      if (pod.isEnding) return;
      setTimeout(() => {
        if (!pod.isEnding && this.pods.get(ordinal) === pod) this.start(ordinal);
      }, BACK_OFF_MS);
    });
  }

  /** Runs the preStop command, then sends the signal; the name disappears with the process. */
  private async end(ordinal: number): Promise<string> {
    const pod = this.pods.get(ordinal)!;
    pod.isEnding = true;
    const { command } = this.set.spec.template.spec.containers[0].lifecycle.preStop.exec;
    const log = `end-${ordinal}-${this.starts}`;
    const doors = [`--grpc=${pod.address}:${this.ports.grpc}`, `--http=${pod.address}:${this.ports.http}`];
    const { port } = this.api.address() as AddressInfo;
    const around = [`--api=http://127.0.0.1:${port}`, `--account=${this.path('account')}`];
    const words = [...command.slice(2), ...doors, ...around];
    const hook = this.run(log, words, this.environment(ordinal, pod.address));
    await ended(hook);
    const said = readFileSync(this.path(log), 'utf8');
    if (hook.exitCode !== 0) throw new Error(`the command before the end of ${ordinal} failed: ${said}`);
    pod.process.kill('SIGTERM');
    await ended(pod.process);
    this.pods.delete(ordinal);
    this.tellNames();
    return said;
  }

  private run(log: string, words: readonly string[], env: Record<string, string>): ChildProcess {
    const output = openSync(this.path(log), 'w');
    const names = pathToFileURL(join(root, 'test/support/pod-names.mjs')).href;
    const child = spawn(process.execPath, ['--import', names, this.entry, ...words], {
      env: { PATH: process.env['PATH'] ?? '', POD_NAMES_FILE: this.path('names.json'), ...env },
      stdio: ['ignore', output, output, 'ipc'],
    });
    closeSync(output);
    return child;
  }

  /** As in the manifest, except for ports that are free here, the single address that a pod listens on, and its claim. */
  private environment(ordinal: number, address: string): Record<string, string> {
    const env = podEnvironment(this.set, ordinal, {
      name: `machine-${ordinal}`,
      labels: { 'topology.kubernetes.io/zone': `zone-${ordinal % 3}` },
      secrets: { 'causeway-database/url': this.databaseUrl },
    });
    const here = Object.entries(env).map(([name, value]) => {
      const text = value
        .replaceAll('50051', String(this.ports.grpc))
        .replaceAll('8080', String(this.ports.http));
      return [name, text.replaceAll('0.0.0.0', address)];
    });
    const dataDir = this.path(`claim-${ordinal}/data`);
    return { ...(Object.fromEntries(here) as Record<string, string>), CAUSEWAY_NODE_DATA_DIR: dataDir };
  }

  /** Updates the service's name to the pods that are ready. */
  private lookAgain(): void {
    this.looking = setTimeout(() => {
      const looks = [...this.pods.values()].map(async (pod) => {
        pod.isReady = (await this.page(pod.ordinal, '/readyz')) !== null;
      });
      void Promise.all(looks).then(() => {
        // Closed meanwhile: the file for the names is gone.
        if (this.looking === null) return;
        this.tellNames();
        this.lookAgain();
      });
    }, LOOK_EVERY_MS);
  }

  private tellNames(): void {
    const { name, namespace } = this.set.metadata;
    const names: Record<string, string[]> = {};
    for (const pod of this.pods.values())
      names[`${name}-${pod.ordinal}.${this.set.spec.serviceName}.${namespace}.svc`] = [pod.address];
    names[`${name}.${namespace}.svc`] = [...this.pods.values()]
      .filter((pod) => pod.isReady && !pod.isEnding)
      .map((pod) => pod.address);
    writeFileSync(this.path('names.new'), JSON.stringify(names));
    renameSync(this.path('names.new'), this.path('names.json'));
  }

  /** Null if the pod does not answer, or if the answer is negative. */
  private async page(ordinal: number, path: string): Promise<unknown> {
    try {
      const url = `http://${this.pods.get(ordinal)!.address}:${this.ports.http}${path}`;
      const answer = await fetch(url, { signal: AbortSignal.timeout(2_000) });
      return answer.ok ? await answer.json() : null;
    } catch {
      return null;
    }
  }
}
