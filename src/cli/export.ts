/**
 * `causeway export`: all live records as NDJSON on standard output, in the form that `import` accepts. After each page
 * the checkpoint records where to go on, so that the same command, with its output appended, resumes an export that was
 * stopped. The output is on disk before the checkpoint is, so after a power cut records may come twice, but none is
 * missing. It reports success only when the last page was written and no page lacked anything.
 */
import * as fs from 'node:fs';
import { readFileSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import type { CausewayClient, Entry, ExportedPage } from '../client/index.ts';
import { replaceFile } from '../base/replace-file.ts';
import { isSystemError, systemReason } from '../base/system-reason.ts';
import {
  addClientOptions,
  EXIT_DEFINITE,
  EXIT_NO,
  EXIT_OK,
  UsageError,
  valueFields,
  withClient,
} from './client-command.ts';
import type { ClientOptions, CommandIo, Output } from './client-command.ts';
import { Stall } from './stall.ts';

interface ExportOptions extends ClientOptions {
  readonly prefix?: string;
  readonly after?: string;
  readonly checkpoint?: string;
}

const PROGRESS_EVERY_MS = 1_000;
const RETRY_DELAY_MS = 500;
/** The share of an export's time that may go into its checkpoint, which waits for the disk. */
const KEEPING_SHARE_MAX = 0.1;

export function exportCommand(program: Command, io: CommandIo): void {
  const command = program
    .command('export')
    .description(
      'print all live records as NDJSON: {"key", "value" or "valueBase64", "ttlMs"?, "contentType"?}',
    )
    .option('--prefix <text>', 'only records whose key begins with it')
    .option('--after <place>', 'go on after the place that an earlier export named')
    .option('--checkpoint <file>', 'keep the place in a file, and go on from it if it is there');
  addClientOptions(command).action(async (options: ExportOptions) => {
    if (options.after !== undefined && options.checkpoint !== undefined)
      throw new UsageError('--after and --checkpoint exclude one another');
    const { checkpoint } = options;
    const held = checkpoint === undefined ? undefined : readPlace(checkpoint);
    if (held !== undefined) io.stderr.write('going on where the checkpoint says: append to the output\n');
    await withClient(io, options, async (client) => {
      const work = new Export(
        io,
        client,
        options.prefix ?? '',
        checkpoint,
        held ?? { after: options.after ?? '', incomplete: false },
      );
      const fault = await work.run();
      return report(io, work, fault);
    });
  });
}

function report(io: CommandIo, work: Export, fault: string | undefined): number {
  if (fault !== undefined) {
    io.stderr.write(`${work.recordCount} records; stopped: ${fault}\n`);
    if (work.place.after !== '') io.stderr.write(`${work.whereToGoOn()}\n`);
    return EXIT_DEFINITE;
  }
  if (work.place.incomplete) {
    io.stderr.write(
      `${work.recordCount} records, not all: the cluster is still loading rows from PostgreSQL; export again later\n`,
    );
    return EXIT_NO;
  }
  io.stderr.write(`${work.recordCount} records exported\n`);
  return EXIT_OK;
}

interface Place {
  after: string;
  /** At least one page so far may have lacked records. */
  incomplete: boolean;
}

class Export {
  recordCount = 0;
  readonly place: Place;
  readonly #io: CommandIo;
  readonly #client: CausewayClient;
  readonly #prefix: string;
  readonly #path: string | undefined;
  readonly #stall: Stall;
  #shownAt = Date.now();
  /** When the place was kept last, by `performance.now`, and how long that took. */
  #keptAt = -Infinity;
  #keptMs = 0;

  constructor(io: CommandIo, client: CausewayClient, prefix: string, path: string | undefined, place: Place) {
    this.#io = io;
    this.#stall = new Stall(io.stderr);
    this.#client = client;
    this.#prefix = prefix;
    this.#path = path;
    this.place = place;
  }

  whereToGoOn(): string {
    const { after } = this.place;
    // Quoted for the shell, whatever characters the key contains.
    return this.#path === undefined
      ? `go on with --after '${after.replaceAll("'", "'\\''")}', its output appended`
      : 'the same command goes on there, its output appended';
  }

  /** Undefined when the last page was written, else the reason why not. */
  async run(): Promise<string | undefined> {
    const { CausewayError } = await import('../client/index.ts');
    // The earlier output may end in the middle of a line; the record is written again, on a line of its own.
    if (this.place.after !== '' && isAppended(this.#io.stdout)) this.#io.stdout.write('\n');
    for (;;) {
      try {
        for await (const page of this.#client.export(this.place.after)) await this.#take(page);
        syncOutput(this.#io.stdout);
        if (this.#path !== undefined) rmSync(this.#path, { force: true });
        return undefined;
      } catch (error) {
        if (error instanceof NotWritten) return this.#stopped(error.message);
        if (!(error instanceof CausewayError)) throw error;
        const fault = `${error.code}: ${error.message}`;
        if (error.code === 'invalid_argument' || error.code === 'not_supported') return this.#stopped(fault);
        if (this.#stall.isOver(fault)) return this.#stopped(fault);
        await delay(RETRY_DELAY_MS);
      }
    }
  }

  #stopped(fault: string): string {
    try {
      if (this.place.after !== '') this.#keep(performance.now(), Infinity);
    } catch (error) {
      // An earlier place stands, or none: some records are told again.
      if (!(error instanceof NotWritten)) throw error;
    }
    return fault;
  }

  /** Makes the output and then the place durable, unless that would take more than this share of the time since. */
  #keep(now: number, shareMax: number): void {
    if (this.#path === undefined || this.#keptMs > (now - this.#keptAt) * shareMax) return;
    syncOutput(this.#io.stdout);
    writePlace(this.#path, this.place);
    this.#keptAt = performance.now();
    this.#keptMs = this.#keptAt - now;
  }

  async #take(page: ExportedPage): Promise<void> {
    const entries = page.entries.filter(({ key }) => key.startsWith(this.#prefix));
    const lines = entries.map(({ key, entry }) => `${JSON.stringify(rowOf(key, entry))}\n`);
    if (lines.length > 0) await written(this.#io.stdout, lines.join(''));
    this.recordCount += entries.length;
    this.place.incomplete ||= page.incomplete;
    this.#stall.end();
    if (page.next === '') return;
    this.place.after = page.next;
    this.#keep(performance.now(), KEEPING_SHARE_MAX);
    if (Date.now() - this.#shownAt < PROGRESS_EVERY_MS) return;
    this.#shownAt = Date.now();
    this.#io.stderr.write(`${this.recordCount} records\n`);
  }
}

function isAppended(output: Output): boolean {
  return (output as { isAppended?: boolean }).isAppended === true;
}

function syncOutput(output: Output): void {
  try {
    (output as { sync?: () => void }).sync?.();
  } catch (error) {
    throw new NotWritten(`standard output cannot be written: ${systemReason(error)}`);
  }
}

/** A page could not be written; the checkpoint still points before it. */
class NotWritten extends Error {
  override readonly name = 'NotWritten';
}

/**
 * Resolves when the text was written, so that no checkpoint is ahead of the output, and a slow pipe slows the export
 * down.
 */
async function written(output: Output, text: string): Promise<void> {
  if (!('once' in output)) return void output.write(text);
  const stream = output as unknown as NodeJS.WritableStream;
  const told = (): void => undefined;
  stream.on('error', told);
  const error = await new Promise<Error | null | undefined>((resolve) => stream.write(text, resolve));
  if (error === null || error === undefined) return void stream.off('error', told);
  // The reader is gone; whoever runs the command reports it.
  if ((error as NodeJS.ErrnoException).code === 'EPIPE') throw error;
  throw new NotWritten(`standard output cannot be written: ${systemReason(error)}`);
}

/** The record's remaining time to live, by the clock of the node that returned it. */
function rowOf(key: string, entry: Entry): Record<string, unknown> {
  const { contentType } = entry;
  const row = { key, ...valueFields(entry.value), ...(contentType === undefined ? {} : { contentType }) };
  if (entry.expiresAtMs === 0) return row;
  return { ...row, ttlMs: Math.max(1, entry.expiresAtMs - entry.updatedAtMs - entry.ageMs) };
}

function readPlace(path: string): Place | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const held = JSON.parse(text) as Partial<Place> | null;
    if (typeof held?.after === 'string' && typeof held.incomplete === 'boolean') return held as Place;
  } catch {
    // Reported below, like any other damage.
  }
  throw new UsageError(`${path} is damaged: remove it to start over`);
}

function writePlace(path: string, place: Place): void {
  try {
    replaceFile({ ...fs, dirname }, path, `${JSON.stringify(place)}\n`);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw new NotWritten(`${path} cannot be written: ${systemReason(error)}`);
  }
}
