/**
 * `causeway bench`: puts and gets against the user's own cluster, and how fast they are. It writes only keys with a
 * prefix of its own and removes them, even if it is stopped. If the cluster is not on this machine, it asks for
 * confirmation first.
 */
import { randomBytes } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { Option } from 'commander';
import type { Command } from 'commander';
import type { CausewayClient } from '../client/index.ts';
import { VALUE_BYTES_MAX } from '../core/limits.ts';
import { runLoad } from './bench-load.ts';
import type { LoadProgress, LoadResult, Mode, Verb } from './bench-load.ts';
import {
  EXIT_HELP,
  EXIT_NO,
  EXIT_OK,
  EXIT_USAGE,
  nodeList,
  nodesOption,
  printJson,
  UsageError,
  timeout,
  wholeNumber,
  withClient,
} from './client-command.ts';
import type { CommandIo } from './client-command.ts';
import { columnsOf, printLines } from './fitted.ts';
import { grouped, msText } from './figures.ts';
import { lineInPlace, waitingLine } from './progress.ts';
import { tableLines } from './table.ts';
import { typedWord } from './typed-word.ts';

interface BenchOptions {
  readonly nodes: string;
  readonly verbs?: Verb;
  readonly mode?: Mode;
  readonly size: number;
  readonly concurrency: number;
  readonly duration: number;
  readonly keys: number;
  readonly timeout: number;
  readonly json?: boolean;
  readonly yes?: boolean;
}

const CONCURRENCY_MAX = 1_024;
const KEYS_MAX = 100_000;
const SECONDS_MAX = 3_600;
const WARM_UP_MS_MAX = 1_000;
/** How many keys are written or removed at once. */
const KEYS_AT_ONCE = 200;
const EXIT_STOPPED = 130;

export function benchCommand(program: Command, io: CommandIo): void {
  program
    .command('bench')
    .description('measure puts and gets at a running cluster, with keys of its own that it removes again')
    .addOption(nodesOption())
    .option('--url <list>', 'the same as --nodes, and goes before it')
    .addOption(new Option('--only <verb>', 'only these (default: both)').choices(['put', 'get']))
    .addOption(new Option('--mode <mode>', 'only so (default: both)').choices(['unary', 'pipelined']))
    .option('--size <bytes>', 'of each value', wholeNumber, 100)
    .option('--concurrency <n>', 'operations under way at once', wholeNumber, 16)
    .option('--duration <seconds>', 'of each measurement', wholeNumber, 5)
    .option('--keys <n>', 'different keys', wholeNumber, 1_000)
    .option('--timeout <time>', 'of each operation: milliseconds, or with a unit (30s)', timeout, 10_000)
    .option('--yes', 'load a cluster that is not on this machine without a question')
    .option('--json', 'print JSON')
    .addHelpText('after', EXIT_HELP)
    .action(async ({ only, url, ...options }: BenchOptions & { only?: Verb; url?: string }) => {
      const nodes = url ?? options.nodes;
      const given = { ...options, nodes, ...(only === undefined ? {} : { verbs: only }) };
      checkBounds(given);
      if (!(await mayLoad(io, given, url === undefined ? '--nodes' : '--url'))) return io.exit(EXIT_USAGE);
      await withClient(io, given, (client) => bench(io, client, given));
    });
}

function checkBounds({ size, concurrency, duration, keys }: BenchOptions): void {
  const within = (name: string, value: number, min: number, max: number): void => {
    if (value < min || value > max)
      throw new UsageError(`--${name} ${value}: must be from ${min} to ${grouped(max)}`);
  };
  within('size', size, 0, VALUE_BYTES_MAX);
  within('concurrency', concurrency, 1, CONCURRENCY_MAX);
  within('duration', duration, 1, SECONDS_MAX);
  within('keys', keys, 1, KEYS_MAX);
}

/** Allowed if the cluster is on this machine, or if the user has confirmed it. */
async function mayLoad(io: CommandIo, options: BenchOptions, flag: string): Promise<boolean> {
  const away: string[] = [];
  for (const node of nodeList(options.nodes, flag)) if (!(await isLoopback(node))) away.push(node);
  if (away.length === 0 || options.yes === true) return true;
  const what = `${options.concurrency} operations at once for ${options.duration} s each`;
  const where = away.join(', ');
  const question = `${what} at ${where}, which serves others perhaps. Type 'yes' to do it: `;
  const word = await typedWord(io, options, question);
  if (word === 'yes') return true;
  const fault = word === null ? `${where} is not this machine: ${what} takes --yes` : 'nothing was done';
  io.stderr.write(`${fault}\n`);
  return false;
}

export async function isLoopback(node: string): Promise<boolean> {
  const host = node.slice(0, node.lastIndexOf(':')).replace(/^\[|\]$/g, '');
  try {
    const found = await lookup(host, { all: true });
    return found.every(({ address }) => address === '::1' || /^127\.\d+\.\d+\.\d+$/.test(address));
  } catch {
    return false;
  }
}

async function bench(io: CommandIo, client: CausewayClient, options: BenchOptions): Promise<number> {
  const prefix = `causeway-bench:${randomBytes(6).toString('hex')}:`;
  const keys = Array.from({ length: options.keys }, (_, at) => `${prefix}${at}`);
  const value = randomBytes(options.size);
  const stopping = new AbortController();
  const onSignal = (): void => stopping.abort();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, onSignal);
  const results: LoadResult[] = [];
  let kept = 0;
  let isWritten = false;
  const onWritten = (): void => void (isWritten = true);
  try {
    io.stderr.write(`${grouped(keys.length)} keys below ${prefix}\n`);
    // The keys are written first, so that no get asks a legacy source for a key that nobody has.
    await writeAll(io, client, { keys, value, signal: stopping.signal, onWritten });
    for (const { verb, mode } of plan(options)) {
      if (stopping.signal.aborted) break;
      results.push(await measure(io, client, { verb, mode, keys, value, options, signal: stopping.signal }));
    }
  } finally {
    // If no node has accepted a write, there is nothing to remove, and perhaps nobody to ask.
    if (isWritten) kept = await removeAll(io, client, keys);
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, onSignal);
    if (kept > 0) io.stderr.write(`${grouped(kept)} keys below ${prefix} could not be removed\n`);
  }
  if (options.json === true) printJson(io, { prefix, ...sizes(options), results, keysLeft: kept });
  else printLines(io.stdout, resultLines(results, columnsOf(io.stdout)));
  if (stopping.signal.aborted) return EXIT_STOPPED;
  const isClean = kept === 0 && results.every(({ failures }) => Object.keys(failures).length === 0);
  return isClean ? EXIT_OK : EXIT_NO;
}

function sizes({ size, concurrency, duration, keys }: BenchOptions): object {
  return { size, concurrency, duration, keys };
}

function plan({ verbs, mode }: BenchOptions): { verb: Verb; mode: Mode }[] {
  const all = (['put', 'get'] as const).flatMap((verb) =>
    (['unary', 'pipelined'] as const).map((way) => ({ verb, mode: way })),
  );
  return all.filter((each) => (verbs ?? each.verb) === each.verb && (mode ?? each.mode) === each.mode);
}

async function measure(
  io: CommandIo,
  client: CausewayClient,
  load: {
    readonly verb: Verb;
    readonly mode: Mode;
    readonly keys: readonly string[];
    readonly value: Uint8Array;
    readonly options: BenchOptions;
    readonly signal: AbortSignal;
  },
): Promise<LoadResult> {
  const { options, ...what } = load;
  const show = lineInPlace(io.stderr);
  const name = `${what.verb}, ${what.mode}`.padEnd(15);
  const line = (progress: LoadProgress): string => {
    if (progress === 'warmingUp') return `${name}  warming up`;
    const { done, failed, share } = progress;
    const failures = failed > 0 ? `, ${grouped(failed)} failed` : '';
    return `${name} ${String(Math.floor(share * 100)).padStart(3)} %  ${grouped(done)} done${failures}`;
  };
  const durationMs = options.duration * 1_000;
  const result = await runLoad(client, {
    ...what,
    ...{ concurrency: options.concurrency, durationMs, warmUpMs: Math.min(WARM_UP_MS_MAX, durationMs / 5) },
    progress: (progress) => show(line(progress), false),
  });
  const failed = Object.values(result.failures).reduce((sum, count) => sum + count, 0);
  show(line({ done: result.operations, failed, share: 1 }), true);
  return result;
}

async function writeAll(
  io: CommandIo,
  client: CausewayClient,
  {
    keys,
    value,
    signal,
    onWritten,
  }: {
    readonly keys: readonly string[];
    readonly value: Uint8Array;
    readonly signal: AbortSignal;
    /** Called when at least one key has been written, or may have been. */
    readonly onWritten: () => void;
  },
): Promise<void> {
  await pieceByPiece(io, 'written', keys, async (piece) => {
    if (signal.aborted) return;
    const outcomes = await client.setMany(piece.map((key) => ({ key, value })));
    if (outcomes.some((outcome) => outcome.ok || outcome.error.certainty === 'indefinite')) onWritten();
    const failure = outcomes.find((outcome) => !outcome.ok);
    if (failure !== undefined && !failure.ok) throw failure.error;
  });
}

/** Returns how many keys are left because they could not be removed, or may not have been. */
async function removeAll(io: CommandIo, client: CausewayClient, keys: readonly string[]): Promise<number> {
  let left = 0;
  await pieceByPiece(io, 'removed', keys, async (piece) => {
    const removed = await Promise.all(piece.map((key) => removeOne(client, key)));
    left += removed.filter((isRemoved) => !isRemoved).length;
  });
  return left;
}

/** Shows progress if it takes long. */
async function pieceByPiece(
  io: CommandIo,
  done: string,
  keys: readonly string[],
  take: (piece: readonly string[]) => Promise<void>,
): Promise<void> {
  const waiting = waitingLine(io.stderr);
  try {
    for (let at = 0; at < keys.length; at += KEYS_AT_ONCE) {
      waiting.of(`${grouped(at)} of ${grouped(keys.length)} keys ${done}`);
      await take(keys.slice(at, at + KEYS_AT_ONCE));
    }
  } finally {
    waiting.end();
  }
}

/**
 * Returns false if the key may still be there. A deletion may be repeated, whatever the outcome of the previous
 * attempt.
 */
async function removeOne(client: CausewayClient, key: string): Promise<boolean> {
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      await client.delete(key);
      return true;
    } catch {
      // Reported at the end, as part of a count.
    }
  }
  return false;
}

export function resultLines(results: readonly LoadResult[], columnsMax?: number): string[] {
  const rows = results.map(({ verb, mode, perSecond, ms, failures }) => [
    `${verb}, ${mode}`,
    grouped(Math.round(perSecond)),
    ...(ms === null ? ['-', '-', '-', '-', '-'] : [ms.p50, ms.p90, ms.p99, ms.p999, ms.max].map(msText)),
    grouped(Object.values(failures).reduce((sum, count) => sum + count, 0)),
  ]);
  const lines = tableLines(
    ['WHAT', 'PER SECOND', 'P50 MS', 'P90', 'P99', 'P99.9', 'MAX', 'FAILED'],
    rows,
    columnsMax,
  );
  const codes = results.flatMap(({ verb, mode, failures }) =>
    Object.entries(failures).map(([code, count]) => `${verb}, ${mode}: ${grouped(count)} times ${code}`),
  );
  return [...lines, ...codes];
}
