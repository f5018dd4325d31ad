/**
 * `causeway import FILE`: imports rows of NDJSON into the cluster, in batches. After each batch the checkpoint moves
 * on, so that an import that was stopped can resume. A row whose outcome is unknown is written again: the same value
 * under the same key, over whatever was written meanwhile. --if-absent and --keep-newer-than leave that alone; so does
 * --operation-ids, under which a row takes effect once. None is the default: the first two are not what restoring means,
 * and a node remembers only so many ids, which a large import would use up. It reports success only when every row is
 * imported or left out on purpose. Standard input (`-`) can be read only once, so it has no checkpoint.
 */
import { createReadStream } from 'node:fs';
import type { Command } from 'commander';
import { reasonOf } from '../base/reason-of.ts';
import type { CausewayClient } from '../client/index.ts';
import {
  addClientOptions,
  EXIT_DEFINITE,
  EXIT_NO,
  EXIT_OK,
  printJson,
  UsageError,
  withClient,
} from './client-command.ts';
import type { ClientOptions, CommandIo } from './client-command.ts';
import { OPERATION_ID_WINDOW_MS } from '../core/limits.ts';
import { isSystemError, systemReason } from '../base/system-reason.ts';
import {
  emptyCheckpoint,
  newCheckpoint,
  readCheckpoint,
  removeCheckpoint,
  writeCheckpoint,
} from './import-checkpoint.ts';
import type { Checkpoint } from './import-checkpoint.ts';
import { readLines } from './import-rows.ts';
import type { Line, Row } from './import-rows.ts';
import { RowWriter } from './import-writer.ts';

interface ImportOptions extends ClientOptions {
  readonly checkpoint?: string;
  readonly restart?: boolean;
  readonly operationIds?: boolean;
  readonly ifAbsent?: boolean;
  readonly keepNewerThan?: string;
}

/** How rows are written over what stands. */
interface Manner {
  /** Under operation ids. */
  readonly isOnce: boolean;
  /** As in RowWriter. */
  readonly keepsFromMs: number | undefined;
}

const BATCH_ROWS_MAX = 2_000;
const BATCH_BYTES_MAX = 4 * 1024 * 1024;
/** Stands for standard input, as in `kubectl apply -f -`. For a file of that name use `./-`. */
const STANDARD_INPUT = '-';
const BEGINNING = 'start';
/** A time without its zone would mean another moment on another machine. */
const ISO_TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})$/;
const READ_BYTES = 256 * 1024;
const PROGRESS_EVERY_MS = 1_000;
/** How many refused lines are listed on standard error; further ones are only counted. */
const REFUSED_SHOWN_MAX = 20;

export function importCommand(program: Command, io: CommandIo): void {
  const command = program
    .command('import')
    .description('write rows of NDJSON: {"key", "value" or "valueBase64", "ttlMs"?, "contentType"?}')
    .argument('<file>', "'-': standard input, without a checkpoint")
    .option('--checkpoint <file>', 'where to keep how far it has come (default: FILE.checkpoint)')
    .option('--restart', 'begin at the first row, whatever the checkpoint says')
    .option('--operation-ids', 'a row that is repeated, its outcome being unknown, takes effect once')
    .option('--if-absent', 'leave keys alone that have a value')
    .option(
      '--keep-newer-than <time>',
      `leave values alone that were written since: '${BEGINNING}' (of this import), or 2026-01-31T12:00:00Z`,
    );
  addClientOptions(command).action(async (file: string, options: ImportOptions) => {
    const source = file === STANDARD_INPUT ? fromInput(io, options) : fromFile(file, options);
    const { checkpoint } = source;
    if (checkpoint.offset > 0) io.stderr.write(`going on after line ${checkpoint.lines}\n`);
    const manner = mannerOf(options, checkpoint);
    await withClient(io, options, async (client) => {
      const fault = await new Import(io, client, source, manner).run();
      const { imported, left, refused, lines } = checkpoint;
      const complete = fault === undefined && refused === 0;
      if (options.json)
        printJson(io, {
          imported,
          left,
          refused,
          lines,
          complete,
          ...(fault === undefined ? {} : { fault }),
        });
      const leftText = manner.keepsFromMs === undefined ? '' : ` ${left} left as they were,`;
      io.stderr.write(
        `${imported} row${imported === 1 ? '' : 's'} imported,${leftText} ${refused} refused` +
          `${fault === undefined ? '' : `; stopped: ${fault}`}\n`,
      );
      if (!complete) io.stderr.write(`${source.next(fault !== undefined)}\n`);
      if (complete) source.end();
      if (fault !== undefined) return EXIT_DEFINITE;
      return complete ? EXIT_OK : EXIT_NO;
    });
  });
}

function mannerOf(options: ImportOptions, checkpoint: Checkpoint): Manner {
  const { operationIds = false, ifAbsent = false, keepNewerThan } = options;
  if ([operationIds, ifAbsent, keepNewerThan !== undefined].filter(Boolean).length > 1)
    throw new UsageError('--operation-ids, --if-absent and --keep-newer-than exclude one another');
  if (ifAbsent) return { isOnce: false, keepsFromMs: -Infinity };
  if (keepNewerThan === undefined) return { isOnce: operationIds, keepsFromMs: undefined };
  if (keepNewerThan === BEGINNING) return { isOnce: false, keepsFromMs: checkpoint.beganAtMs };
  const keepsFromMs = ISO_TIME.test(keepNewerThan) ? Date.parse(keepNewerThan) : NaN;
  if (!Number.isNaN(keepsFromMs)) return { isOnce: false, keepsFromMs };
  throw new UsageError(
    `--keep-newer-than ${keepNewerThan}: neither '${BEGINNING}' nor a time with its zone, as 2026-01-31T12:00:00Z`,
  );
}

/** Where the rows come from, and where progress is recorded. */
interface Source {
  readonly name: string;
  readonly checkpoint: Checkpoint;
  readonly bytes: () => AsyncIterable<Uint8Array>;
  /** Called when the checkpoint has moved on. */
  readonly keep: () => void;
  /** Called when everything is imported. */
  readonly end: () => void;
  /** What the user can do next: after a stop, or after lines were refused. */
  readonly next: (isStopped: boolean) => string;
}

function fromFile(file: string, options: ImportOptions): Source {
  const path = options.checkpoint ?? `${file}.checkpoint`;
  const checkpoint = begin(file, path, options.restart === true);
  return {
    name: file,
    checkpoint,
    bytes: () => createReadStream(file, { start: checkpoint.offset, highWaterMark: READ_BYTES }),
    keep: () => writeCheckpoint(path, checkpoint),
    end: () => removeCheckpoint(path),
    next: (isStopped) =>
      isStopped
        ? `the same command goes on after line ${checkpoint.lines}`
        : 'put the refused lines right, and import them anew: the same command with --restart',
  };
}

function fromInput(io: CommandIo, options: ImportOptions): Source {
  if (options.checkpoint !== undefined || options.restart === true)
    throw new UsageError('standard input has no checkpoint: --checkpoint and --restart take a file');
  const checkpoint = emptyCheckpoint();
  const nothing = (): void => undefined;
  return {
    name: 'standard input',
    checkpoint,
    bytes: () => io.stdin,
    keep: nothing,
    end: nothing,
    next: (isStopped) =>
      isStopped
        ? `rows up to line ${checkpoint.lines} are in; all of them may be imported again`
        : 'put the refused lines right, and import them anew',
  };
}

function begin(file: string, path: string, restart: boolean): Checkpoint {
  try {
    return (restart ? undefined : readCheckpoint(path, file)) ?? newCheckpoint(file);
  } catch (error) {
    const { message } = error as Error;
    const place = (error as NodeJS.ErrnoException).path ?? file;
    throw new UsageError(isSystemError(error) ? `${place} cannot be read: ${systemReason(error)}` : message);
  }
}

class Import {
  readonly #io: CommandIo;
  readonly #source: Source;
  readonly #checkpoint: Checkpoint;
  readonly #manner: Manner;
  readonly #writer: RowWriter;
  #shownAt = Date.now();

  constructor(io: CommandIo, client: CausewayClient, source: Source, manner: Manner) {
    this.#io = io;
    this.#source = source;
    this.#manner = manner;
    this.#writer = new RowWriter(client, io.stderr, manner.keepsFromMs);
    this.#checkpoint = source.checkpoint;
  }

  /** Undefined when the last row was reached, else the reason why not. */
  async run(): Promise<string | undefined> {
    try {
      // When it began must be known even if it is stopped within its first rows.
      this.#source.keep();
      let batch: Line[] = [];
      let bytes = 0;
      const { offset, lines } = this.#checkpoint;
      for await (const line of readLines(this.#source.bytes(), offset, lines + 1)) {
        batch.push(line);
        bytes += line.row?.value.length ?? 0;
        if (batch.length < BATCH_ROWS_MAX && bytes < BATCH_BYTES_MAX) continue;
        const fault = await this.#take(batch);
        if (fault !== undefined) return fault;
        batch = [];
        bytes = 0;
      }
      return batch.length === 0 ? undefined : await this.#take(batch);
    } catch (error) {
      if (isSystemError(error)) return `${error.path ?? this.#source.name}: ${systemReason(error)}`;
      return reasonOf(error);
    } finally {
      await this.#writer.close();
    }
  }

  async #take(batch: readonly Line[]): Promise<string | undefined> {
    const rows = batch.flatMap(({ row, number }) => (row === undefined ? [] : [{ row, number }]));
    const { endOffset } = batch.at(-1)!;
    const { isOnce, keepsFromMs } = this.#manner;
    const operationId = isOnce ? await this.#idOfRows(endOffset) : undefined;
    const leftBefore = this.#writer.leftCount;
    const ofEachKey = keepsFromMs === undefined ? lastOfEachKey : firstOfEachKey;
    const fault = await this.#writer.write(ofEachKey(rows.map(({ row }) => row)), operationId);
    if (fault !== undefined) return fault;
    for (const { fault: lineFault, number } of batch) {
      if (lineFault === undefined) continue;
      this.#checkpoint.refused++;
      if (this.#checkpoint.refused <= REFUSED_SHOWN_MAX)
        this.#io.stderr.write(`line ${number} ${lineFault}\n`);
    }
    const left = this.#writer.leftCount - leftBefore;
    this.#checkpoint.imported += rows.length - left;
    this.#checkpoint.left += left;
    this.#checkpoint.lines += batch.length;
    this.#checkpoint.offset = endOffset;
    this.#checkpoint.underWay = undefined;
    this.#source.keep();
    this.#showProgress();
    return undefined;
  }

  /**
   * The id is saved before the rows are sent, so that a resumed import repeats them under it. It is reused only while
   * nodes remember it and for exactly the same batch, because in another batch a key might have a different row.
   */
  async #idOfRows(endOffset: number): Promise<Uint8Array> {
    const held = this.#checkpoint.underWay;
    if (held?.endOffset === endOffset && Date.now() - held.madeAtMs < OPERATION_ID_WINDOW_MS)
      return Buffer.from(held.operationId, 'hex');
    const { newOperationId } = await import('../client/index.ts');
    const id = newOperationId();
    const operationId = Buffer.from(id).toString('hex');
    this.#checkpoint.underWay = { operationId, madeAtMs: Date.now(), endOffset };
    this.#source.keep();
    return id;
  }

  #showProgress(): void {
    if (Date.now() - this.#shownAt < PROGRESS_EVERY_MS) return;
    this.#shownAt = Date.now();
    const { offset, size, imported } = this.#checkpoint;
    const share = size === 0 ? '' : `, ${Math.floor((offset / size) * 100)} %`;
    this.#io.stderr.write(`${imported} rows${share}\n`);
  }
}

/** The operations of a batch run concurrently, so of a key that occurs twice only the last row may be written. */
function lastOfEachKey(rows: readonly Row[]): Row[] {
  return [...new Map(rows.map((row) => [row.key, row])).values()];
}

/** Where the first of two rows is in, the second one finds it, in whatever batch: so the first one stands. */
function firstOfEachKey(rows: readonly Row[]): Row[] {
  const firsts = new Map<string, Row>();
  for (const row of rows) if (!firsts.has(row.key)) firsts.set(row.key, row);
  return [...firsts.values()];
}
