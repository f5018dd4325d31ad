/**
 * `causeway pod stop`: what Kubernetes runs in a pod before it ends the node. If the pod's place was removed, the node
 * first leaves the cluster, so that others take over what it holds. If it is only to be restarted, the command waits
 * until that costs nothing.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import { reasonOf } from '../base/reason-of.ts';
import { EXIT_DEFINITE, EXIT_OK, UsageError, wholeNumber } from './client-command.ts';
import type { CommandIo } from './client-command.ts';
import { ordinalOf, podEnd } from './pod-end.ts';
import type { Wanted } from './pod-end.ts';

interface PodStopOptions {
  readonly statefulSet: string;
  readonly pod?: string;
  readonly leaveSeconds: number;
  readonly safeSeconds: number;
  readonly grpc: string;
  readonly http: string;
  readonly api?: string;
  readonly account: string;
}

/** Where every pod finds its own credentials. */
const ACCOUNT_DIRECTORY = '/var/run/secrets/kubernetes.io/serviceaccount';
const ASK_EVERY_MS = 1_000;
const PAGE_TIMEOUT_MS = 2_000;
const CALL_TIMEOUT_MS = 10_000;
/** A busy node may miss a request; one that misses this many in a row has ended, or serves nobody. */
const SILENT_TRIES = 3;
/** Attempts to ask the API server, which may be busy with the very change that ends this pod. */
const API_TRIES = 5;

export function podCommand(program: Command, io: CommandIo): void {
  const pod = program
    .command('pod')
    .description('what a pod of a Kubernetes StatefulSet does beside its node');
  const env = process.env;
  pod
    .command('stop')
    .description(
      'before the node ends: it leaves where its replica is gone for good, else it waits until stopping it is safe',
    )
    .requiredOption('--stateful-set <name>', 'the StatefulSet that this pod is of')
    .option(
      '--pod <name>',
      'name of this pod, and of its node (CAUSEWAY_NODE_NAME)',
      env['CAUSEWAY_NODE_NAME'],
    )
    .option('--leave-seconds <n>', 'for others to take over what the node holds', wholeNumber, 840)
    .option('--safe-seconds <n>', 'for the moment at which stopping costs nothing', wholeNumber, 300)
    .option('--grpc <address>', "the node's gRPC door", `127.0.0.1:${env['CAUSEWAY_GRPC_PORT'] ?? 50_051}`)
    .option('--http <address>', "the node's HTTP door", `127.0.0.1:${env['CAUSEWAY_HTTP_PORT'] ?? 8080}`)
    .option('--api <url>', 'the API server (KUBERNETES_SERVICE_HOST and _PORT)', apiOf(env))
    .option('--account <directory>', "where the pod's token and certificate lie", ACCOUNT_DIRECTORY)
    .action((options: PodStopOptions) => stop(io, options));
}

function apiOf(env: NodeJS.ProcessEnv): string | undefined {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = '443' } = env;
  if (host === undefined) return undefined;
  return `https://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

async function stop(io: CommandIo, options: PodStopOptions): Promise<void> {
  const { pod, statefulSet } = options;
  if (pod === undefined) throw new UsageError('--pod is missing, and CAUSEWAY_NODE_NAME is not set');
  const ordinal = ordinalOf(pod, statefulSet);
  if (ordinal === undefined) throw new UsageError(`${pod} is no pod of ${statefulSet}`);
  const wanted = await wantedOf(io, options);
  // If it is not known, act as for a restart, which loses nothing.
  const end = wanted === undefined ? 'restarts' : podEnd(ordinal, wanted);
  const isDone = await { leaves: leave, restarts: untilSafe, stops: atOnce }[end](io, options, pod);
  // Kubernetes ends the node in any case, and records this command's output as an event of the pod only if it failed.
  io.exit(isDone && wanted !== undefined ? EXIT_OK : EXIT_DEFINITE);
}

async function atOnce(): Promise<boolean> {
  return true;
}

/** Undefined if it cannot be determined. */
async function wantedOf(io: CommandIo, options: PodStopOptions): Promise<Wanted | null | undefined> {
  const { api, account, statefulSet } = options;
  if (api === undefined) throw new UsageError('--api is missing, and KUBERNETES_SERVICE_HOST is not set');
  // Loaded late: `causeway --help` loads every command, and the parser of the answer takes long to load.
  const { askWanted } = await import('./kubernetes-api.ts');
  for (let tries = 1; ; tries += 1) {
    try {
      return await askWanted({ url: api, account }, statefulSet);
    } catch (error) {
      const reason = reasonOf(error);
      io.stderr.write(`whether this replica is gone for good is not known: ${reason}\n`);
      if (tries === API_TRIES) return undefined;
      await delay(ASK_EVERY_MS);
    }
  }
}

/** True if the node has left; its process then ends by itself. */
async function leave(io: CommandIo, options: PodStopOptions, name: string): Promise<boolean> {
  const deadline = performance.now() + options.leaveSeconds * 1_000;
  const { connect, CausewayError } = await import('../client/index.ts');
  const client = connect({ nodes: [options.grpc], timeoutMs: CALL_TIMEOUT_MS });
  let isAsked = false;
  try {
    while (performance.now() < deadline) {
      if (!isAsked) {
        try {
          await client.leave(name);
          isAsked = true;
          io.stderr.write(`${name} leaves the cluster: others take what it holds\n`);
        } catch (error) {
          if (!(error instanceof CausewayError)) throw error;
          io.stderr.write(`${name} does not leave: ${error.message}\n`);
          // Too few members would remain, so the node keeps its disk and may come back.
          if (error.code === 'invalid_argument') return await untilSafe(io, options);
        }
      }
      if ((await patientPageOf(options.http, '/status')) === null) return isAsked;
      await delay(ASK_EVERY_MS);
    }
  } finally {
    client.close();
  }
  io.stderr.write(`${name} has not left within ${options.leaveSeconds} s, and is stopped as it is\n`);
  return false;
}

/** True if stopping costs neither service nor a replica, or if there is nothing left to wait for. */
async function untilSafe(io: CommandIo, { http, safeSeconds }: PodStopOptions): Promise<boolean> {
  const deadline = performance.now() + safeSeconds * 1_000;
  let reason = '';
  while (performance.now() < deadline) {
    // Of all nodes that want to stop now, one gets "yes"; the others get "no" until that one is back.
    const page = await patientPageOf(http, '/safe-to-stop', 'POST');
    // A node that does not answer serves nobody, and one that does not know this request cannot tell.
    if (page === null || page.status === 200 || page.status === 404) return true;
    if (page.body !== reason) io.stderr.write(`not yet safe to stop: ${page.body}\n`);
    reason = page.body;
    // With jitter, so that waiting nodes do not ask in step.
    await delay(ASK_EVERY_MS * (0.5 + Math.random()));
  }
  io.stderr.write(`still not safe to stop after ${safeSeconds} s: stopped all the same\n`);
  return false;
}

/** Null if the node stays silent. */
async function patientPageOf(
  address: string,
  path: string,
  method: 'GET' | 'POST' = 'GET',
): Promise<Awaited<ReturnType<typeof pageOf>>> {
  for (let tries = 1; ; tries += 1) {
    const page = await pageOf(address, path, method);
    if (page !== null || tries === SILENT_TRIES) return page;
    await delay(ASK_EVERY_MS);
  }
}

async function pageOf(
  address: string,
  path: string,
  method: 'GET' | 'POST',
): Promise<{ status: number; body: string } | null> {
  try {
    const signal = AbortSignal.timeout(PAGE_TIMEOUT_MS);
    const answer = await fetch(`http://${address}${path}`, { method, signal });
    return { status: answer.status, body: (await answer.text()).slice(0, 500) };
  } catch {
    return null;
  }
}
