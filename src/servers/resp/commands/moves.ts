/**
 * RENAME, RENAMENX and COPY. There is no write of two keys: the destination is written first, and then the source is
 * deleted on the condition that it still has the version that was read. A move that is interrupted in between leaves
 * both keys, never neither.
 */
import type { Failure } from '../../../core/errors.ts';
import type { Change } from '../../../core/modify/change.ts';
import type { WriteResult } from '../../../core/operation.ts';
import type { KeyRecord } from '../../../core/record.ts';
import type { Arguments } from '../arguments.ts';
import type { Client } from '../client.ts';
import type { CommandBody } from '../command.ts';
import { errorText, SYNTAX_ERROR, wordsFor } from '../error-replies.ts';
import type { Pending } from '../reply-queue.ts';
import type { ReplyWriter } from '../reply-writer.ts';
import { keyError, noDatabase } from './parsing.ts';

/** How often the source may change during a move before the move is given up. */
const ATTEMPTS_MAX = 3;

interface Wish {
  readonly from: string;
  readonly to: string;
  readonly mayReplace: boolean;
  /** False if the source stays. */
  readonly moves: boolean;
  readonly onMissing: (out: ReplyWriter) => void;
  readonly onTaken: (out: ReplyWriter) => void;
  readonly onDone: (out: ReplyWriter) => void;
}

class Move {
  private readonly client: Client;
  private readonly wish: Wish;
  private readonly pending: Pending;
  private attempts = 0;
  /** The version that was written to the destination; 0 if nothing was written yet. */
  private written = 0;

  constructor(client: Client, wish: Wish) {
    this.client = client;
    this.wish = wish;
    this.pending = client.beginAlone();
  }

  readSource(): void {
    this.attempts += 1;
    this.client.get(this.wish.from, (result) => {
      if (result.kind === 'failed') return this.fail(result.failure);
      if (result.kind === 'value') return this.writeDestination(result.record);
      // The source has gone since it was copied, so what was asked for has happened.
      this.pending.end(this.written > 0 ? this.wish.onDone : this.wish.onMissing);
    });
  }

  private writeDestination(source: KeyRecord): void {
    const { to, mayReplace } = this.wish;
    if (this.wish.from === to) return this.pending.end(mayReplace ? this.wish.onDone : this.wish.onTaken);
    const change: Change = {
      kind: 'set',
      value: source.value,
      condition: mayReplace || this.written > 0 ? 'always' : 'ifAbsent',
      expiresAt: source.expiresAt,
      tellPrevious: false,
      contentType: source.contentType,
    };
    const { valueBytesMax } = this.client.door;
    // May replace what this move itself wrote before, but nothing that came after it.
    const expect =
      mayReplace || this.written === 0 ? null : ({ kind: 'version', version: this.written } as const);
    this.client.write(
      { kind: 'modify', key: to, operationId: null, expect, changes: [change], valueBytesMax },
      (result) => this.onWritten(source, result),
    );
  }

  private onWritten(source: KeyRecord, result: WriteResult): void {
    if (result.kind === 'failed') return this.fail(result.failure);
    if (result.kind !== 'modified' && result.kind !== 'unchanged') return this.taken();
    const { applied, failure } = result.results[0]!;
    if (failure !== null) return this.fail(failure);
    if (!applied) return this.taken();
    this.written = result.version;
    if (!this.wish.moves) return this.pending.end(this.wish.onDone);
    const expect = { kind: 'version', version: source.version } as const;
    this.client.write(
      { kind: 'compareAndDelete', key: this.wish.from, operationId: null, expect },
      (deleted) => this.onDeleted(deleted),
    );
  }

  /** The destination has someone else's value. If our value was there before, it is not true that nothing happened. */
  private taken(): void {
    if (this.written === 0) return this.pending.end(this.wish.onTaken);
    this.pending.end((out) =>
      out.error('INDEFINITE contended: the key was copied, then another wrote the copy; the source is there'),
    );
  }

  private onDeleted(result: WriteResult): void {
    if (result.kind === 'failed') return this.fail(result.failure);
    if (result.kind === 'done') return this.pending.end(this.wish.onDone);
    if (this.attempts < ATTEMPTS_MAX) return this.readSource();
    this.pending.end((out) =>
      out.error(
        'INDEFINITE contended: the key was copied, and is written too often to be deleted: both are there',
      ),
    );
  }

  private fail(failure: Failure): void {
    this.pending.end((out) => {
      if (this.written === 0) out.error(errorText(failure));
      else
        out.error(
          `INDEFINITE ${failure.code}: the key was copied, and may not be deleted: ${wordsFor(failure)}`,
        );
    });
  }
}

function rename(mayReplace: boolean): (client: Client, args: Arguments) => void {
  return (client, args) => {
    const from = args.key(1);
    if (from === undefined) return client.out.error(keyError(args, 1));
    const to = args.key(2);
    if (to === undefined) return client.out.error(keyError(args, 2));
    new Move(client, {
      ...{ from, to, mayReplace, moves: true },
      onMissing: (out) => out.error('ERR no such key'),
      onTaken: (out) => out.integer(0),
      onDone: (out) => (mayReplace ? out.ok() : out.integer(1)),
    }).readSource();
  };
}

function copy(client: Client, args: Arguments): void {
  const { out } = client;
  let mayReplace = false;
  for (let at = 3; at < args.count; at += 1) {
    const word = args.upper(at);
    if (word === 'REPLACE') mayReplace = true;
    else if (word === 'DB' && at + 1 < args.count) {
      at += 1;
      const database = args.integer(at);
      if (database === undefined) return out.error('ERR value is not an integer or out of range');
      if (database !== 0n) return out.error(noDatabase(database, 'Copying to another database is'));
    } else return out.error(SYNTAX_ERROR);
  }
  const from = args.key(1);
  if (from === undefined) return out.error(keyError(args, 1));
  const to = args.key(2);
  if (to === undefined) return out.error(keyError(args, 2));
  if (from === to) return out.error('ERR source and destination objects are the same');
  const no = (answer: ReplyWriter): void => answer.integer(0);
  const yes = (answer: ReplyWriter): void => answer.integer(1);
  new Move(client, {
    from,
    to,
    mayReplace,
    moves: false,
    onMissing: no,
    onTaken: no,
    onDone: yes,
  }).readSource();
}

const BOTH =
  'The destination is written first, then the source is deleted: a failure in between leaves both.';

export const MOVE_BODIES: Readonly<Record<string, CommandBody>> = {
  rename: { run: rename(true), isAlone: true, differs: `${BOTH} Not within MULTI.` },
  renamenx: { run: rename(false), isAlone: true, differs: `${BOTH} Not within MULTI.` },
  copy: {
    run: copy,
    isAlone: true,
    differs: 'Read first, then written: not at one moment. Within database 0. Not within MULTI.',
  },
};
