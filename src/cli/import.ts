/**
 * `causeway import FILE`: rows of NDJSON into the cluster, many at a time, in batches. After each batch the
 * checkpoint moves on, so that an import that was stopped goes on where it was. A row whose outcome is unknown
 * is written again: the same value under the same key. Success is claimed only when every row is in.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import type { CausewayClient, CausewayError, Pipeline } from '../client/index.ts';
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
import { newCheckpoint, readCheckpoint, removeCheckpoint, writeCheckpoint } from './import-checkpoint.ts';
import type { Checkpoint } from './import-checkpoint.ts';
import { readLines } from './import-rows.ts';
import type { Line, Row } from './import-rows.ts';
import { Stall } from './stall.ts';

interface ImportOptions extends ClientOptions {
  readonly checkpoint?: string;
  readonly restart?: boolean;
}

const BATCH_ROWS_MAX = 2_000;
const BATCH_BYTES_MAX = 4 * 1024 * 1024;
const PROGRESS_EVERY_MS = 1_000;
const RETRY_DELAY_MS = 200;
const RETRY_DELAY_MS_MAX = 5_000;
/** Lines named on standard error; further ones are only counted. */
const REFUSED_SHOWN_MAX = 20;

export function importCommand(program: Command, io: CommandIo): void {
  const command = program
    .command('import')
    .description('write rows of NDJSON: {"key", "value" or "valueBase64", "ttlMs"?, "contentType"?}')
    .argument('<file>')
    .option('--checkpoint <file>', 'where to keep how far it has come (default: FILE.checkpoint)')
    .option('--restart', 'begin at the first row, whatever the checkpoint says');
  addClientOptions(command).action(async (file: string, options: ImportOptions) => {
    const path = options.checkpoint ?? `${file}.checkpoint`;
    const checkpoint = begin(file, path, options.restart === true);
    if (checkpoint.offset > 0) io.stderr.write(`going on after line ${checkpoint.lines}\n`);
    await withClient(io, options, async (client) => {
      const fault = await new Import(io, client, file, path, checkpoint).run();
      const { imported, refused, lines } = checkpoint;
      const complete = fault === undefined && refused === 0;
      if (options.json)
        printJson(io, { imported, refused, lines, complete, ...(fault === undefined ? {} : { fault }) });
      io.stderr.write(
        `${imported} rows imported, ${refused} refused${fault === undefined ? '' : `; stopped: ${fault}`}\n`,
      );
      if (complete) removeCheckpoint(path);
      if (fault !== undefined) return EXIT_DEFINITE;
      return complete ? EXIT_OK : EXIT_NO;
    });
  });
}

function begin(file: string, path: string, restart: boolean): Checkpoint {
  try {
    return (restart ? undefined : readCheckpoint(path, file)) ?? newCheckpoint(file);
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

class Import {
  readonly #io: CommandIo;
  readonly #client: CausewayClient;
  readonly #file: string;
  readonly #path: string;
  readonly #checkpoint: Checkpoint;
  #pipeline: Pipeline | undefined;
  #shownAt = Date.now();

  constructor(io: CommandIo, client: CausewayClient, file: string, path: string, checkpoint: Checkpoint) {
    this.#io = io;
    this.#client = client;
    this.#file = file;
    this.#path = path;
    this.#checkpoint = checkpoint;
  }

  /** Undefined when the end of the file was reached, else why not. */
  async run(): Promise<string | undefined> {
    try {
      let batch: Line[] = [];
      let bytes = 0;
      for await (const line of readLines(this.#file, this.#checkpoint.offset, this.#checkpoint.lines + 1)) {
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
      return error instanceof Error ? error.message : String(error);
    } finally {
      await this.#pipeline?.close();
    }
  }

  async #take(batch: readonly Line[]): Promise<string | undefined> {
    const rows = batch.flatMap(({ row, number }) => (row === undefined ? [] : [{ row, number }]));
    const fault = await this.#write(lastOfEachKey(rows.map(({ row }) => row)));
    if (fault !== undefined) return fault;
    for (const { fault: lineFault, number } of batch) {
      if (lineFault === undefined) continue;
      this.#checkpoint.refused++;
      if (this.#checkpoint.refused <= REFUSED_SHOWN_MAX)
        this.#io.stderr.write(`line ${number} ${lineFault}\n`);
    }
    this.#checkpoint.imported += rows.length;
    this.#checkpoint.lines += batch.length;
    this.#checkpoint.offset = batch.at(-1)!.endOffset;
    writeCheckpoint(this.#path, this.#checkpoint);
    this.#showProgress();
    return undefined;
  }

  /** Until all rows are in; what fails is tried again while others succeed, and for a while after. */
  async #write(rows: readonly Row[]): Promise<string | undefined> {
    let left = rows;
    const stall = new Stall(this.#io.stderr);
    for (let delayMs = RETRY_DELAY_MS; left.length > 0; delayMs = Math.min(delayMs * 2, RETRY_DELAY_MS_MAX)) {
      const { failed, error } = await this.#attempt(left);
      if (error === undefined) return undefined;
      if (error.code === 'invalid_argument' || error.code === 'not_supported') return error.message;
      if (failed.length < left.length) stall.end();
      const fault = `${error.code}: ${error.message}`;
      if (stall.isOver(fault)) return fault;
      left = failed;
      await delay(delayMs);
    }
    return undefined;
  }

  async #attempt(rows: readonly Row[]): Promise<{ failed: Row[]; error: CausewayError | undefined }> {
    const { CausewayError } = await import('../client/index.ts');
    const failed: Row[] = [];
    let error: CausewayError | undefined;
    const note = (row: Row, fault: unknown): void => {
      if (!(fault instanceof CausewayError)) throw fault;
      failed.push(row);
      error = fault;
      // It may have ended: another one, to another node perhaps, is opened for the next attempt.
      if (fault.code === 'transport' || fault.code === 'not_ready') this.#pipeline = undefined;
    };
    try {
      this.#pipeline ??= await this.#client.pipeline();
    } catch (fault) {
      note(rows[0]!, fault);
      return { failed: [...rows], error };
    }
    const pipeline = this.#pipeline;
    const writes: Promise<void>[] = [];
    for (const row of rows) {
      await pipeline.room();
      writes.push(
        pipeline.set(row.key, row.value, row.ttlMs, row.contentType).then(
          () => undefined,
          (fault: unknown) => note(row, fault),
        ),
      );
    }
    await Promise.all(writes);
    if (this.#pipeline !== pipeline) await pipeline.close();
    return { failed, error };
  }

  #showProgress(): void {
    if (Date.now() - this.#shownAt < PROGRESS_EVERY_MS) return;
    this.#shownAt = Date.now();
    const { offset, size, imported } = this.#checkpoint;
    this.#io.stderr.write(`${imported} rows, ${Math.floor((offset / size) * 100)} %\n`);
  }
}

/** Operations of one batch are under way together: of a key that comes twice only the last may be written. */
function lastOfEachKey(rows: readonly Row[]): Row[] {
  return [...new Map(rows.map((row) => [row.key, row])).values()];
}
